"""`lowcap why`: from an override to the candles it stands on, each row the one its key names."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from console.lineage_kind import KEYS
from console.lineage_rows import plain
from domain.vocabulary.driver import CHANNEL_NAMES
from tests.learned_world import rows
from tests.lineage_world import BASKET, MEMBERS, QUIET, RUN, copy_to_learned, copy_to_replay, make_lineage_world
from tests.portfolio_rows import HOUR, START, TOKEN

pytestmark = pytest.mark.postgres

Facts = Mapping[str, Any]
DEEP = ("--depth", "9", "--most", "3")
AT = START.isoformat()


@pytest.fixture(scope="module")
def world(module_database):
    """Everything from the candle to the override, and once more as a replay."""
    made = make_lineage_world()
    copy_to_replay("spring")
    copy_to_learned("spring", multiplier=2.5)
    copy_to_replay("bare")
    return made


@pytest.fixture
def override(world) -> str:
    """Number of the newest override of nano caps."""
    (row,) = rows(
        "SELECT max(override_id) AS number FROM learning.pm_overrides WHERE scope_values ->> 'mcap_bucket' = 'nano'"
    )
    return str(row["number"])


@pytest.fixture
def whole(override, lowcap_json) -> Facts:
    """All of what that override stands on."""
    return lowcap_json("why", "override", override, *DEEP)


def test_an_override_leads_by_keys_to_the_raw_candle_and_that_candle_back_to_it(whole, override, lowcap_json):
    path = next(path for path in paths(whole["root"]) if is_minute_of_btc(path[-1]))
    kinds = [node["kind"] for node in path]
    key = path[-1]["key"]

    back = lowcap_json("why", "candle", key["symbol"], key["timeframe"], key["timestamp"], "--down", "--depth", "12")

    up_to_the_bar = ["override", "lesson", "trade", "action", "score", "driver_state", "driver_ta", "driver_bar"]
    assert kinds == [*up_to_the_bar, "major_bar", "major_bar"]
    assert path[-1]["row"]["source"] == "venue"
    returned = next(path for path in paths(back["root"]) if path[-1]["key"] == {"override_id": int(override)})
    assert [node["key"] for node in returned if node["kind"] == "action"] == [path[3]["key"]]
    assert [node["key"] for node in returned][-2:] == [path[1]["key"], path[0]["key"]]


def test_every_row_told_is_the_row_of_its_table(whole):
    told = [path[-1] for path in paths(whole["root"]) if path[-1]["table"] != "pm.ad_strands"]

    kinds = {node["kind"] for node in told}
    assert {"lesson", "statistic", "hypothesis", "learning_run", "fact", "score", "tag", "context"} <= kinds
    assert {"driver_state", "driver_ta", "driver_bar", "token_state", "token_ta", "token_bar", "config"} <= kinds
    for node in told:
        stored = stored_row(node)
        said = {**node["row"], **node["made_by"]}
        shared = said.keys() & stored.keys()
        assert len(shared) >= min(5, len(stored))
        assert {name: said[name] for name in shared} == {name: plain(stored[name]) for name in shared}


def test_a_trade_and_its_action_say_what_their_strands_say(whole):
    trade, action = (node_of(whole["root"], kind) for kind in ("trade", "action"))

    (closure,) = content_of("strand_id", trade["row"]["closed_strand_id"])
    outcome = closure["completed_trades"][-1]
    for name in ("pnl_usd", "rr", "roi", "hold_hours"):
        assert trade["row"][name] == outcome[name]
    (decision,) = content_of("strand_id", action["row"]["strand_id"])
    for name in ("a_value", "e_value", "levers", "scope", "regime_states", "override_set_id", "seen", "size_frac"):
        assert action["row"][name] == decision[name]
    matched = decision["learning_multipliers"]["pm_strength"]["matched"]
    assert set(ids_of(action["row"]["matched"])) >= set(ids_of(matched)) != set()


def test_an_action_shows_the_fifteen_states_it_saw_each_with_its_bar(world, lowcap_json):
    entry = order_of("entry")
    facts = lowcap_json("why", "action", entry, "--depth", "2")

    score = node_of(facts["root"], "score")
    (link,) = score["links"]
    assert (link["total"], link["shown"]) == (15, 15)
    assert [found["beside"]["channel"] for found in link["found"]] == list(CHANNEL_NAMES)
    (stored,) = rows(
        "SELECT channel_timestamp FROM regime.ae_score WHERE bucket = 'nano' AND \"timestamp\" = %s", START
    )
    assert [found["key"]["timestamp"] for found in link["found"]] == plain(stored["channel_timestamp"])
    assert {found["kind"] for each in facts["root"]["links"] for found in each["found"]} >= {
        *("score", "token_state", "token_bar", "tag", "context", "override", "tick", "config", "fill")
    }
    assert "doubts" not in facts["root"]


def test_overrides_that_applied_are_told_with_their_part(world, lowcap_json):
    facts = lowcap_json("why", "action", order_of("entry"), "--depth", "2")

    link = link_to(facts["root"], "override")
    assert [found["key"]["override_id"] for found in link["found"]] == [1, 2, 3]
    assert link["found"][0]["beside"]["multiplier"] == link["found"][0]["row"]["multiplier"] == 1.5
    assert link["found"][0]["doubts"] == [
        "no lesson lesson-1 stands in the tables: a person made it, or its rows are gone"
    ]


def test_a_lesson_tells_its_trades_its_tests_and_how_many_were_tried(whole, override):
    lesson = node_of(whole["root"], "lesson")
    (cell,) = rows(
        "SELECT count(DISTINCT trade_id) AS trades FROM learning.pattern_trade_events"
        " WHERE pattern_key = 'pm.uptrend.S1.buy_flag' AND action_category = 'entry'"
        " AND scope ->> 'mcap_bucket' = 'nano'"
    )

    trades = link_to(lesson, "trade")
    assert (trades["total"], trades["shown"]) == (cell["trades"], 3)
    assert trades["total"] == trades["found"][0]["beside"]["with_rr"] == lesson["row"]["n_trades"]
    (run,) = rows('SELECT n_hypotheses FROM learning.learning_run ORDER BY "timestamp" DESC LIMIT 1')
    assert node_of(lesson, "learning_run")["row"]["n_hypotheses"] == run["n_hypotheses"] > 0
    assert node_of(lesson, "statistic")["row"]["n_trades"] == lesson["row"]["n_trades"]
    assert "doubts" not in lesson


def test_the_lesson_that_gave_an_override_its_numbers_stands_beside_that_of_its_day(whole):
    link = link_to(whole["root"], "lesson")
    by_day = {found["beside"]["is_of_the_day"]: found["row"] for found in link["found"]}

    assert by_day[True]["as_of"] == whole["root"]["row"]["as_of"]
    assert by_day[False]["n_trades"] == whole["root"]["row"]["n_trades"] < by_day[True]["n_trades"]


@pytest.mark.parametrize(("driver", "members"), [("ALT", BASKET), ("nano", (*MEMBERS, TOKEN[0])), ("BTC", ("BTC",))])
def test_a_bar_of_a_driver_names_every_component_it_counts(world, lowcap_json, driver, members):
    facts = lowcap_json("why", "state", driver, "meso", AT)

    bar = node_of(facts["root"], "driver_bar")
    ((link),) = bar["links"]
    named = sorted(found["key"].get("symbol") or found["key"]["token_contract"] for found in link["found"])
    assert named == sorted(members)
    assert link["total"] == bar["row"]["component_count"]
    assert "doubts" not in bar


def test_a_silent_member_is_told_by_the_close_it_was_held_at(world, lowcap_json):
    bar = node_of(lowcap_json("why", "state", "nano", "1h", AT)["root"], "driver_bar")

    by_token = {found["key"]["token_contract"]: found for found in link_to(bar, "token_bar")["found"]}
    assert by_token[QUIET]["beside"]["took_part"] == "flat"
    assert by_token[QUIET]["key"]["timestamp"] == (START - HOUR).isoformat()
    assert by_token[TOKEN[0]]["beside"]["took_part"] == "traded"


def test_a_bar_of_dominance_names_its_samples_and_the_one_carried_into_it(world, lowcap_json):
    bars = {
        horizon: node_of(lowcap_json("why", "state", "USDT.d", horizon, at, "--most", "20")["root"], "driver_bar")
        for horizon, at in (("meso", AT), ("micro", (START + HOUR * (59 / 60)).isoformat()))
    }

    assert link_to(bars["meso"], "sample")["total"] == 12
    (carried,) = link_to(bars["micro"], "sample")["found"]
    assert carried["key"]["timestamp"] == (START + HOUR * (55 / 60)).isoformat()
    assert carried["row"]["source"] == "coingecko"


def test_a_candle_tells_who_said_so_when_and_what_was_refused_about_it(world, lowcap_json):
    facts = lowcap_json("why", "candle", "BTC", "1h", AT, "--most", "60")

    parts = link_to(facts["root"], "major_bar")
    first = parts["found"][0]
    assert (parts["total"], parts["shown"]) == (60, 60)
    assert (first["row"]["source"], first["row"]["known_at"]) == ("venue", AT)
    (refused,) = link_to(first, "quarantine")["found"]
    assert refused["row"]["reason"] == "price_jump"
    assert "links" not in parts["found"][1] or not parts["found"][1]["links"]


def test_rows_of_a_run_of_dagster_name_its_page(whole):
    told = [path[-1]["made_by"] for path in paths(whole["root"]) if path[-1]["kind"] == "driver_state"]

    assert {made["run_page"] for made in told} == {f"/runs/{RUN}"}
    (lesson,) = rows('SELECT run_id, code_version FROM learning.learning_lessons ORDER BY "timestamp" DESC LIMIT 1')
    made = node_of(whole["root"], "lesson")["made_by"]
    assert (made["run_page"], made["code_version"]) == (f"/runs/{lesson['run_id']}", lesson["code_version"])


def test_a_tuned_threshold_leads_to_what_was_judged_and_the_windows_it_was_judged_by(world, lowcap_json):
    facts = lowcap_json("why", "override", "3", "--depth", "2")["root"]

    (tuned,) = link_to(facts, "tuning_state")["found"]
    (verdict,), (window,) = (link_to(tuned, kind)["found"] for kind in ("tuning_verdict", "episode"))
    assert (tuned["row"]["multiplier"], tuned["row"]["gate"]) == (0.9, "trend_strength")
    assert (verdict["row"]["verdict"], window["key"]["episode_id"]) == ("loosened", "cd" * 32)
    assert "doubts" not in facts


def test_a_replay_and_what_it_taught_are_looked_at_by_its_name(override, lowcap_json, lowcap):
    live = lowcap_json("why", "override", override)["root"]
    replayed = lowcap_json("why", "override", override, *DEEP, "--replay", "spring")["root"]

    assert (live["row"]["multiplier"] < 2.5, replayed["row"]["multiplier"]) == (True, 2.5)
    assert {path[-1]["replay"] for path in paths(replayed)} == {"spring"}
    entry = lowcap_json("why", "action", order_of("entry"), "--replay", "spring", "--depth", "1")["root"]
    assert {found["row"]["multiplier"] for found in link_to(entry, "override")["found"]} == {2.5}
    assert lowcap("why", "override", override, "--replay", "autumn").exit_code == 2


def test_a_replay_nothing_was_learned_from_says_so_and_tells_its_trades(world, lowcap, lowcap_json):
    refused = lowcap("why", "override", "1", "--replay", "bare")
    entry = lowcap_json("why", "action", order_of("entry"), "--replay", "bare", "--depth", "1")["root"]
    trade = lowcap_json("why", "trade", entry["key"]["trade_id"], "--replay", "bare", "--depth", "1")["root"]

    assert (refused.exit_code, "first: lowcap learn --replay bare" in refused.stderr) == (2, True)
    assert {found.get("is_there", True) for found in link_to(entry, "override")["found"]} == {False}
    assert [link["found"][0]["kind"] for link in trade["links"]] == ["action"]


def paths(node: Facts, before: tuple[Facts, ...] = ()) -> Iterator[tuple[Facts, ...]]:
    """Every row told in a document, with the rows that led to it."""
    here = (*before, node)
    if "row" in node:
        yield here
    for link in node.get("links", ()):
        for found in link["found"]:
            yield from paths(found, here)


def is_minute_of_btc(node: Facts) -> bool:
    return (node["kind"], node["key"].get("symbol"), node["key"].get("timeframe")) == ("major_bar", "BTC", "1m")


def node_of(node: Facts, kind: str) -> Facts:
    """First row of a kind below a row."""
    return next(path[-1] for path in paths(node) if path[-1]["kind"] == kind)


def link_to(node: Facts, kind: str) -> Facts:
    return next(link for link in node["links"] if link["found"][0]["kind"] == kind)


def ids_of(matched: list[Facts]) -> list[int]:
    return [each["override_id"] for each in matched]


def order_of(category: str) -> str:
    (row,) = rows("SELECT order_id FROM pm.pm_order WHERE action_category = %s", category)
    return str(row["order_id"])


def content_of(column: str, value: str) -> list[dict[str, Any]]:
    return [row["content"] for row in rows(f"SELECT content FROM pm.ad_strands WHERE {column} = %s", value)]


def stored_row(node: Facts) -> dict[str, Any]:
    """Row of a table by its key."""
    names = [name for name in KEYS[node["kind"]] if name != "scope_signature"]
    conditions = " AND ".join(f'"{name}" = %s' for name in names)
    values = [node["key"][name] for name in names]
    if "scope_signature" in KEYS[node["kind"]]:
        conditions, values = f"{conditions} AND scope_signature = %s", [*values, node["key"]["scope_signature"]]
    (row,) = rows(f"SELECT * FROM {node['table']} WHERE {conditions}", *values)
    return row
