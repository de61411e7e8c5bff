"""Pages and API of the pictures of learning: the commands' facts, byte by byte, drawn, linked and refused in words."""

from urllib.parse import quote

import pytest

from domain.vocabulary.cap_bucket import CapBucket
from tests.console.learned_rows import MIDNIGHT, make_taught, run_row, store
from tests.console.pages.page_world import HOSTILE, client
from tests.console.pages.read_html import ReadHtml
from tests.console.ticked_trade import bar_at
from tests.portfolio_rows import HOUR, START, TOKEN, sha256, token_bar
from tests.portfolio_worlds import PostgresPortfolioWorld

pytestmark = pytest.mark.postgres

SAME = [
    ("/api/decay", ("decay",)),
    (
        "/api/decay?state=decaying&lessons=1&most=1&pattern=S1.buy_flag",
        ("decay", "--state", "decaying", "--lessons", "--most", "1", "--pattern", "S1.buy_flag"),
    ),
    (f"/api/decay/{sha256('nano')[:20]}?day=2025-06-10", ("decay", sha256("nano")[:20], "--day", "2025-06-10")),
    ("/api/crowding", ("crowding",)),
    (
        "/api/crowding?rows=chain&columns=btc_meso&pattern=S1.buy_flag&most=2",
        ("crowding", "--rows", "chain", "--columns", "btc_meso", "--pattern", "S1.buy_flag", "--most", "2"),
    ),
    ("/api/funnel", ("funnel",)),
    ("/api/funnel?day=2025-06-10", ("funnel", "--day", "2025-06-10")),
]


def words(text: str) -> str:
    return " ".join(ReadHtml(text).text.split())


@pytest.mark.parametrize(("address", "command"), SAME, ids=[address for address, _ in SAME])
def test_an_answer_is_what_the_command_prints_byte_by_byte(pages, lowcap, address, command):
    answer, printed = pages.get(address), lowcap(*command, "--json")

    assert (answer.status_code, printed.exit_code) == (200, 0), printed.stderr
    assert answer.content == printed.stdout_bytes


def test_the_page_of_a_decay_draws_its_snapshots_and_both_fits(pages):
    text = pages.get(f"/decay/{sha256('nano')[:16]}").text
    drawn = [attributes.get("class") or "" for _, attributes in ReadHtml(text).elements]

    assert drawn.count("dot") == 20
    assert {"fit line", "fit line carried", "fit exponential used", "fit exponential carried used"} <= set(drawn)
    assert "Decaying: the edge is multiplied by 0.700, made from the exponential." in words(text)
    assert "It halves in 8.0 d (90% interval: 6.9 d to 9.6 d)." in words(text)


def test_a_curve_that_was_not_believed_is_not_drawn_and_the_page_says_why(pages):
    text = pages.get(f"/decay/{sha256('hourly')[:16]}").text

    assert "fit exponential" not in text
    assert "not believed, so not drawn: no exponential describes it" in words(text)


def test_a_lesson_without_snapshots_has_a_page_that_says_so(pages):
    assert "Nothing is fitted: it has no edge on any day yet" in words(pages.get(f"/decay/{sha256('alone')}").text)


def test_the_map_tells_each_square_in_words_too(pages):
    text = pages.get("/crowding").text

    assert "mcap_bucket=nano timeframe=4h: skew" in words(text)
    assert text.count('<g class="cell">') == 6 * 4
    assert {f'class="skew-{level}"' in text for level in range(10)} == {True}


def test_the_funnel_links_what_was_left_out_to_its_rows(pages):
    links = ReadHtml(pages.get("/funnel").text).links("/funnel")

    assert "/quality/waiting?status=parked" in links
    rows = [link for link in links if link.startswith("/funnel/asked?")]
    assert rows
    assert all(pages.get(link).status_code == 200 for link in rows)


def test_cells_of_a_verdict_are_listed_and_a_hostile_one_is_text(pages):
    answer = pages.get("/funnel/asked", params={"verdict": HOSTILE})

    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "1 cells of 2025-06-10" in words(answer.text)
    assert "0 cells of" in words(pages.get("/funnel/asked?verdict=none").text)


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/decay/zz", 404, "Expected at least 8 digits"),
        ("/decay/" + "0" * 64, 404, "No lesson, and no cell with an edge on 2025-06-10"),
        ("/decay?state=dying", 404, "No state"),
        ("/decay?lessons=yes", 400, "lessons=1"),
        ("/decay?day=2024-01-01", 404, "was not learned"),
        ("/decay?replay=no", 404, "No replay"),
        ("/crowding?rows=shape", 404, "No dimension"),
        ("/crowding?rows=chain&columns=chain", 404, "Rows and columns are both chain"),
        ("/crowding?day=2025-06-10", 400, "No parameter"),
        ("/crowding?replay=no", 404, "No replay"),
        ("/funnel?day=2024-01-01", 404, "was not learned"),
        ("/funnel?replay=no", 404, "No replay"),
        ("/funnel/asked?verdict=promoted&day=2024-01-01", 404, "was not learned"),
        ("/funnel/asked", 400, "Expected verdict"),
        ("/quality/gaps", 400, "Expected table"),
        ("/quality/gaps?table=pg_class", 400, "Expected a raw table"),
        ("/quality/gaps?table=dominance_sample&timeframe=2h", 400, "Expected a timeframe"),
        ("/quality/waiting?status=parked&replay=no", 404, "No replay"),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(pages, address, status, said):
    page = pages.get(address)

    assert page.status_code == status
    assert said in words(page.text)
    if not address.startswith(("/quality", "/funnel/")):
        assert said in pages.get(f"/api{address}").json()["error"]


@pytest.mark.parametrize(
    "address",
    [
        "/decay/{}",
        "/decay?pattern={}",
        "/decay?replay={}",
        "/crowding?rows={}",
        "/crowding?pattern={}",
        "/funnel?day={}",
    ],
)
@pytest.mark.parametrize("text", [HOSTILE, "%25", "_", "../../etc/passwd", "a' OR 1=1 --", "\x00", "x" * 5000])
def test_hostile_values_are_refused_and_obeyed_nowhere(pages, address, text):
    asked = address.format(quote(text, safe=""))
    page, answer = pages.get(asked), pages.get(f"/api{asked}")

    assert page.status_code == answer.status_code in (400, 404)
    assert "<script" not in page.text
    assert answer.headers["content-type"] == "application/json"
    assert not {"\u202e", "\x1b", "\x9b"} & set(page.text + answer.text)


def test_before_anything_is_learned_or_held_the_pages_say_so(database):
    browser = client()
    for address in ("/decay", "/funnel"):
        assert "Nothing was learned yet." in words(browser.get(address).text)
    assert "Nothing is held: every buy keeps 1 of its size." in words(browser.get("/crowding").text)
    assert browser.get("/api/funnel").json()["steps"] == []
    assert browser.get("/decay/" + "0" * 8).status_code == 404


def test_holes_of_a_raw_table_are_counted_and_lead_to_the_bars_on_both_sides(database):
    world = PostgresPortfolioWorld()
    world.tag(TOKEN, START, CapBucket.NANO)
    for hour in (0, 1, 4, 5):
        world.publish_bar(TOKEN, bar_at(hour), token_bar(bar_at(hour)))
    at = f"{START + 6 * HOUR:%Y-%m-%dT%H:%M:%SZ}"

    board = client().get(f"/quality?as_of={at}")
    (link,) = [link for link in ReadHtml(board.text).links("/quality") if link.endswith("timeframe=1h&as_of=" + at)][
        -1:
    ]
    rows = words(client().get(link).text)

    assert "lowcap_price_data_ohlc 1h 1 1 4 2 33.33% bad" in words(board.text)
    assert "So1anaToken solana 2025-06-01T01:00:00+00:00 2025-06-01T04:00:00+00:00 2" in rows
    early = client().get(f"/quality?as_of={START + 5 * HOUR - HOUR / 60:%Y-%m-%dT%H:%M:%SZ}").text
    assert "lowcap_price_data_ohlc 1h 1 0 2 0 0.00% good" in words(early)


def test_trades_that_wait_in_a_replay_are_listed_there(database):
    schema = make_taught("summer")
    times = dict.fromkeys(("timestamp", "first_seen_at", "last_seen_at"), MIDNIGHT)
    told = {"status": "parked", "actions_told": 3, "actions_missing": 1, "reason": "of a replay"}
    store("learning_run", run_row(), schema=schema)
    store("trade_intake", {"strand_id": sha256("s"), "trade_id": sha256("t")} | told | times, schema=schema)

    links = ReadHtml(client().get("/funnel?replay=summer").text).links("/funnel")

    assert "/quality/waiting?status=parked&replay=summer" in links
    assert "of a replay" in client().get("/quality/waiting?status=parked&replay=summer").text
    assert "of a replay" not in client().get("/quality/waiting?status=parked").text
