"""The regime API: byte by byte what the commands print, and refusals in the same words."""

from urllib.parse import quote

import pytest

from tests.console.pages.page_world import AS_OF, AS_OF_TEXT, HOSTILE, override_of
from tests.console.ticked_trade import order_of, trade_of
from tests.portfolio_rows import HOUR, sha256

pytestmark = pytest.mark.postgres
AT = ("--as-of", AS_OF_TEXT)

SAME = [
    (f"/api/regime?as_of={AS_OF_TEXT}", ("regime", "show", *AT)),
    (f"/api/ae?as_of={AS_OF_TEXT}", ("ae", *AT)),
    (f"/api/ae?as_of={AS_OF_TEXT}&timeframe=4h", ("ae", *AT, "--timeframe", "4h")),
    (f"/api/states?as_of={AS_OF_TEXT}", ("states", *AT)),
    ("/api/trades", ("trades",)),
    ("/api/trades?open=1&most=3", ("trades", "--open", "--most", "3")),
    ("/api/lessons", ("lessons",)),
    ("/api/lessons?all=1&pattern=S1.buy_flag", ("lessons", "--all", "--pattern", "S1.buy_flag")),
    ("/api/lessons?hypotheses=1&most=1", ("lessons", "--hypotheses", "--most", "1")),
    (
        "/api/lessons?weights=true&factors=true&day=2025-06-10",
        ("lessons", "--weights", "--factors", "--day", "2025-06-10"),
    ),
    ("/api/sets?most=1", ("sets", "list", "--most", "1")),
    ("/api/sets", ("sets", "list")),
    ("/api/forward?trades=1", ("forward", "--trades")),
    ("/api/sets/7", ("sets", "show", "7")),
    ("/api/tuning", ("tuning",)),
    ("/api/tuning?rates=1&day=2025-06-10", ("tuning", "--rates", "--day", "2025-06-10")),
    ("/api/notes", ("notes",)),
    ("/api/notes?kind=report", ("notes", "--kind", "report")),
    ("/api/config", ("config", "show")),
    ("/api/config?prefix=scores.&version=1", ("config", "show", "scores.", "--version", "1")),
    ("/api/switch", ("switch",)),
    ("/api/switch?most=1", ("switch", "--most", "1")),
]


@pytest.mark.parametrize(("address", "command"), SAME, ids=[address for address, _ in SAME])
def test_an_answer_is_what_the_command_prints_byte_by_byte(pages, lowcap, address, command):
    answer, printed = pages.get(address), lowcap(*command, "--json")

    assert (answer.status_code, printed.exit_code) == (200, 0), printed.stderr
    assert answer.content == printed.stdout_bytes
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("which", [lambda: order_of("entry"), lambda: order_of("exit")[:12], trade_of])
def test_an_explanation_is_what_the_command_prints(pages, lowcap, which):
    answer = pages.get(f"/api/explain/{which()}")

    assert answer.status_code == 200
    assert answer.content == lowcap("explain", which(), "--json").stdout_bytes


@pytest.mark.parametrize(
    ("words", "asked", "options"),
    [
        (lambda: ["override", str(override_of("nano"))], "", ()),
        (lambda: ["lesson", sha256("nano")[:10]], "?down=1", ("--down",)),
        (lambda: ["trade", trade_of()], "?depth=6&most=2", ("--depth", "6", "--most", "2")),
        (lambda: ["action", order_of("entry")], "?down=0", ()),
        (lambda: ["state", "BTC", "meso", (AS_OF - HOUR).isoformat()], "", ()),
    ],
)
def test_a_walk_is_what_the_command_prints(pages, lowcap, words, asked, options):
    answer = pages.get(f"/api/why/{'/'.join(quote(word, safe='') for word in words())}{asked}")

    assert answer.status_code == 200, answer.text
    assert answer.content == lowcap("why", *words(), *options, "--json").stdout_bytes


def test_an_instant_whose_plus_became_a_space_is_read(pages):
    text = AS_OF.isoformat()
    assert "+" in text

    assert pages.get(f"/api/regime?as_of={text}").content == pages.get(f"/api/regime?as_of={AS_OF_TEXT}").content


def test_where_nothing_was_known_the_answer_says_so(pages):
    answer = pages.get(f"/api/regime?as_of={AS_OF + 9 * HOUR:%Y-%m-%dT%H:%MZ}")

    assert answer.status_code == 404
    assert "No regime context" in answer.json()["error"]


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/api/regime?as_of=2025-06-01", 400, "Expected an offset"),
        ("/api/regime?as_of=0001-01-01T00:00%2B14:00", 400, "Expected an instant of this age"),
        ("/api/regime?as_of=9999-12-31T23:59Z", 400, "Expected a year"),
        ("/api/ae?timeframe=2h", 400, "Expected a timeframe"),
        ("/api/ae?bucket=nano", 400, "No parameter 'bucket'"),
        ("/api/ae?timeframe=1h&timeframe=4h", 400, "given twice"),
        ("/api/trades?most=0", 400, "from 1 to"),
        ("/api/trades?most=%D9%A3", 400, "from 1 to"),
        ("/api/trades?open=yes", 400, "open=1"),
        ("/api/trades?replay=pm", 404, "No replay 'pm'"),
        ("/api/lessons?day=2025-13-01", 400, "Expected a day"),
        ("/api/lessons?day=2024-01-01", 404, "was not learned"),
        ("/api/lessons?pattern=%00", 400, "without a NUL"),
        ("/api/tuning?rates=2", 400, "rates=1"),
        ("/api/tuning?day=2024-01-01", 404, "was not learned"),
        ("/api/notes?kind=poem", 400, "Expected a kind"),
        ("/api/notes?replay=no", 404, "No replay 'no'"),
        ("/api/config?prefix=zz", 404, "No key begins with 'zz'"),
        ("/api/config?version=999", 404, "999"),
        ("/api/config?version=0", 400, "from 1 to"),
        ("/api/sets/x", 404, "Expected the number of a set"),
        ("/api/sets/5", 404, "No set 5"),
        ("/api/why/poem/1", 404, "Nothing begins at 'poem'"),
        ("/api/why/override/99999", 404, "No override 99999"),
        ("/api/why/override", 404, "Expected: lowcap why override NUMBER"),
        ("/api/why/lesson/%00", 404, "printable characters"),
        ("/api/why/lesson/%ff", 400, "no text"),
        ("/api/why/state/BTC/meso/yesterday", 400, "Expected an instant"),
        ("/api/why/trade/x?depth=99", 400, "from 1 to 20"),
        ("/api/explain/zz", 404, "Expected at least 8 digits"),
        ("/api/explain/" + "0" * 64, 404, "No order, strand or trade"),
        ("/api/nothing", 404, "no such page"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(pages, address, status, said):
    answer = pages.get(address)

    assert answer.status_code == status
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    "address",
    [
        *("/api/explain/{}", "/api/trades?replay={}", "/api/lessons?pattern={}", "/api/lessons?replay={}"),
        *("/api/why/trade/{}", "/api/why/{}/1", "/api/why/candle/{}/1h/2025-06-01T00:00Z", "/api/notes?kind={}"),
        *("/api/tuning?day={}", "/api/config?prefix={}", "/api/sets/{}"),
    ],
)
@pytest.mark.parametrize("text", [HOSTILE, "%25", "_", "../../etc/passwd", "a' OR 1=1 --", "\x00", "{}", "x" * 5000])
def test_hostile_values_are_refused_and_change_nothing(pages, address, text):
    answer = pages.get(address.format(quote(text, safe="")))

    assert answer.status_code in (400, 404)
    assert "error" in answer.json()
    assert pages.get("/api/trades").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_api_only_reads(pages, method):
    assert pages.request(method, "/api/switch").status_code == 405
