"""`lowcap why` as a person meets it: the tree in words, what is cut, what is refused, and how long it takes."""

import pytest

from tests.learned_world import rows
from tests.lineage_world import QUIET, make_lineage_world
from tests.portfolio_rows import HOUR, START

pytestmark = pytest.mark.postgres

AT = START.isoformat()


@pytest.fixture(scope="module")
def world(module_database):
    """Everything from the candle to the override."""
    return make_lineage_world()


def newest_override() -> str:
    (row,) = rows("SELECT max(override_id) AS number FROM learning.pm_overrides")
    return str(row["number"])


def lesson_of_nano() -> str:
    (row,) = rows(
        "SELECT DISTINCT lesson_id FROM learning.learning_lessons"
        " WHERE scope_values ->> 'mcap_bucket' = 'nano' AND action_category = 'entry'"
    )
    return str(row["lesson_id"])


def trade_of_the_runtime() -> str:
    (row,) = rows("SELECT DISTINCT trade_id FROM pm.pm_order")
    return str(row["trade_id"])


def test_the_tree_says_each_row_in_words_with_what_made_it_and_how_to_go_on(world, lowcap):
    result = lowcap("why", "override", newest_override())

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0].startswith(f"override {newest_override()}: pm_strength x 1.")
    assert lines[1].startswith("  made by run /runs/")
    assert "  its life up to this set: 3" in lines
    assert any("trades in its cell, closed before it was measured: 8 of 21 shown (--most)" in line for line in lines)
    assert any("6 hypotheses tried, 0 believed (honest)" in line for line in lines)
    assert any(line.lstrip().startswith("go on: lowcap why action ") for line in lines)


def test_what_the_tree_says_to_go_on_with_is_understood(world, lowcap):
    (order,) = rows("SELECT order_id FROM pm.pm_order WHERE action_category = 'entry'")
    printed = [lowcap("why", "action", order["order_id"], "--depth", depth).stdout for depth in ("1", "2", "5")]
    printed += [lowcap("why", "override", newest_override(), "--depth", depth).stdout for depth in ("1", "2", "3")]
    asked = {line.split("lowcap why ")[1] for text in printed for line in text.splitlines() if "go on: " in line}

    answers = {words: lowcap("why", *words.split(), "--depth", "0") for words in asked}
    assert {words.split()[0] for words in asked} == {"override", "lesson", "trade", "action", "state", "candle"}
    assert {words: answer.stderr for words, answer in answers.items() if answer.exit_code != 0} == {}


def test_a_trade_leads_down_to_the_lessons_it_taught_and_their_overrides(world, lowcap_json):
    facts = lowcap_json("why", "trade", trade_of_the_runtime(), "--down", "--depth", "2")["root"]

    learned, lessons = facts["links"]
    assert (learned["total"], [found["kind"] for found in learned["found"]]) == (3, ["fact"] * 3)
    taught = {found["key"]["lesson_id"]: found for found in lessons["found"]}
    assert lessons["total"] == len(taught) == 2
    overrides = taught[lesson_of_nano()]["links"][0]
    made = rows("SELECT override_id FROM learning.pm_overrides WHERE lesson_id = %s", lesson_of_nano())
    assert {found["key"]["override_id"] for found in overrides["found"]} == {row["override_id"] for row in made}


def test_an_override_leads_down_to_the_actions_it_applied_to(world, lowcap_json):
    facts = lowcap_json("why", "override", "1", "--down", "--depth", "1")["root"]

    (entry,) = rows("SELECT order_id FROM pm.pm_order WHERE action_category = 'entry'")
    assert [found["key"]["order_id"] for found in facts["links"][0]["found"]] == [entry["order_id"]]
    assert "links" not in facts["links"][0]["found"][0]


def test_a_close_leads_down_to_the_bars_it_was_held_in(world, lowcap_json):
    before = (START - HOUR).isoformat()
    facts = lowcap_json("why", "candle", QUIET, "1h", before, "--down", "--depth", "1")["root"]

    (link,) = facts["links"]
    assert {found["beside"]["took_part"] for found in link["found"]} == {"flat"}
    assert link["found"][0]["key"] | {"book_id": ""} == {
        **{"driver": "nano", "book_id": "", "timeframe": "1h", "timestamp": AT}
    }


def test_a_sample_leads_down_to_the_bars_it_is_in_and_the_minutes_it_was_carried_through(world, lowcap_json):
    carried = (START + HOUR * (55 / 60)).isoformat()
    facts = lowcap_json("why", "candle", "USDT.d", "5m", carried, "--down", "--depth", "1")["root"]

    found = {(each["key"]["timeframe"], each["key"]["timestamp"]) for each in facts["links"][0]["found"]}
    assert found == {("1h", AT), ("1m", (START + HOUR * (59 / 60)).isoformat())}


def test_a_list_that_is_cut_tells_how_long_it_is(world, lowcap_json):
    cut, whole = (
        lowcap_json("why", "lesson", lesson_of_nano(), "--depth", "1", "--most", most)["root"]["links"][-1]
        for most in ("2", "100")
    )

    assert (cut["total"], cut["shown"], len(cut["found"])) == (21, 2, 2)
    assert (whole["total"], whole["shown"]) == (21, 21)
    assert whole["found"][:2] == cut["found"]


def test_eight_digits_are_enough_of_an_id(world, lowcap_json):
    for asked, identity in (("lesson", lesson_of_nano()), ("trade", trade_of_the_runtime())):
        assert lowcap_json("why", asked, identity[:8].upper()) == lowcap_json("why", asked, identity)


def test_the_digits_of_a_strand_name_its_action(world, lowcap_json):
    (row,) = rows(
        "SELECT strand_id, content ->> 'order_id' AS order_id FROM pm.ad_strands"
        " WHERE trade_id = 't08800' AND content ->> 'action_category' = 'entry'"
    )

    assert lowcap_json("why", "action", row["strand_id"])["root"]["key"]["order_id"] == row["order_id"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("override", "9999"), "No override 9999; there are 1 to "),
        (("override", "one"), "Expected the number of an override"),
        (("override", "9" * 30), "Expected the number of an override"),
        (("override", "1", "2"), "Expected: lowcap why override NUMBER"),
        (("lesson", "f" * 64), "No lesson has the id"),
        (("lesson", "'; DROP TABLE learning.learning_lessons; --"), "those of a trade: lowcap why trade ID --down"),
        (("trade", "abc"), "see: lowcap trades --json"),
        (("action", "ab\x00cd"), "printable"),
        (("action", "a" * 201), "1 to 200 printable"),
        (("state", "DOGE", "meso", AT), "No driver 'DOGE'; there are BTC, ALT, nano"),
        (("state", "BTC", "weekly", AT), "No horizon 'weekly'"),
        (("state", "BTC", "meso", "2025-06-01T00:30Z"), "the last one before opens at 2025-06-01T00:00:00+00:00"),
        (("state", "BTC", "meso", "2024-06-01T00:00Z"), "the first of all opens at 2025-06-01T00:00:00+00:00"),
        (("candle", "majors_price_data_ohlc", "1h", AT), "Name the series too, such as majors_price_data_ohlc:BTC"),
        (("candle", "BTC", "7m", AT), "No timeframe '7m'"),
        (("candle", "BTC@solana", "1h", AT), "the last one before: there is none"),
        (("candle", "So1anaToken", "1h", "2026-06-01T00:00Z"), "So1anaToken@solana at 2025-06-01T04:00:00+00:00"),
        (("candle", "nobody' OR '1'='1", "1h", AT), "there is none"),
    ],
)
def test_what_is_not_there_is_refused_with_what_to_do(world, lowcap, words, complaint):
    result = lowcap("why", *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr


@pytest.mark.parametrize("at", ["yesterday", "2025-06-01T00:00"])
def test_an_instant_needs_a_date_and_an_offset(world, lowcap, at):
    result = lowcap("why", "state", "BTC", "meso", at)

    assert result.exit_code == 2
    assert "Expected an" in result.stderr


def test_what_a_source_wrote_is_printed_without_being_obeyed(world, lowcap):
    printed = lowcap("why", "candle", "BTC", "1m", AT).stdout

    assert "price_jump (x 40\\x1b[31m)" in printed
    assert "\x1b" not in printed
