"""Every page: it answers, shows hostile text as text, keeps to its policy, and all its links lead somewhere."""

import pytest

from tests.console.pages.page_world import AS_OF, AS_OF_TEXT, HOSTILE, client, override_of
from tests.console.pages.read_html import ReadHtml
from tests.console.ticked_trade import order_of, trade_of
from tests.portfolio_rows import HOUR, START, sha256

pytestmark = pytest.mark.postgres
SHOWN = HOSTILE.replace("\u202e", "\\u202e").replace("\x1b", "\\x1b").replace("\x9b", "\\x9b")
"""Hostile text as a reader sees it: marks that turn or hide text are spelled out."""

PAGES = {
    "overview": lambda: "/",
    "overview_then": lambda: f"/?as_of={AS_OF_TEXT}",
    "regime": lambda: f"/regime?as_of={AS_OF_TEXT}",
    "regime_empty": lambda: "/regime?as_of=2001-01-01T00:00Z",
    "lessons": lambda: "/lessons",
    "override": lambda: f"/override/{override_of('nano')}",
    "entry": lambda: f"/action/{order_of('entry')}",
    "exit": lambda: f"/action/{order_of('exit')}",
    "trim": lambda: f"/action/{order_of('trim')}",
    "trade": lambda: f"/trade/{trade_of()}",
    "trades": lambda: "/trades",
    "lesson": lambda: f"/lesson/{sha256('nano')}",
    "hostile_lesson": lambda: f"/lesson/{sha256('hostile')[:12]}",
    "forward": lambda: "/forward",
    "tuning": lambda: "/tuning",
    "rates": lambda: "/tuning?rates=1",
    "notes": lambda: "/notes",
    "sets": lambda: "/sets",
    "set": lambda: "/sets/7",
    "config": lambda: "/config",
    "what_if": lambda: "/whatif",
    "what_if_neutral": lambda: "/whatif?neutral=1&from=2025-05-31T00:00Z&to=2025-06-05T00:00Z",
    "why": lambda: "/why",
    "why_override": lambda: f"/why/override/{override_of('nano')}",
    "why_lesson": lambda: f"/why/lesson/{sha256('hostile')}",
    "why_trade": lambda: f"/why/trade/{trade_of()}?depth=6",
    "why_trade_down": lambda: f"/why/trade/{trade_of()}?down=1",
    "why_action": lambda: f"/why/action/{order_of('entry')}",
    "decays": lambda: "/decay",
    "decay": lambda: f"/decay/{sha256('nano')[:16]}",
    "decay_by_line": lambda: f"/decay/{sha256('hourly')[:16]}?day=2025-06-10",
    "decay_of_nothing": lambda: f"/decay/{sha256('alone')}",
    "crowding": lambda: "/crowding",
    "crowding_across": lambda: "/crowding?rows=btc_meso&columns=chain&pattern=S1.buy_flag",
    "funnel": lambda: "/funnel",
    "asked": lambda: "/funnel/asked?verdict=promoted",
    "quality": lambda: f"/quality?as_of={AS_OF_TEXT}",
    "refused": lambda: "/quality/refused?table=lowcap_price_data_ohlc&reason=price_jump",
    "waiting": lambda: "/quality/waiting?status=parked",
    "switch": lambda: "/switch",
    "error": lambda: "/action/zz",
}
TELLS_HOSTILE_TEXT = {
    *("overview", "lessons", "entry", "trade", "quality", "refused", "waiting", "switch", "trades", "hostile_lesson"),
    *("tuning", "rates", "notes", "sets", "config", "why_lesson", "decays", "funnel", "what_if_neutral"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_html_within_its_policy(pages, name):
    answer = pages.get(PAGES[name]())

    assert answer.status_code == (404 if name == "error" else 200), answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    read = ReadHtml(answer.text)
    assert read.open == []
    assert read.forbidden() == []


@pytest.mark.parametrize("name", sorted(TELLS_HOSTILE_TEXT))
def test_hostile_text_is_shown_and_obeyed_nowhere(pages, name):
    text = pages.get(PAGES[name]()).text

    assert SHOWN in ReadHtml(text).text
    assert "<script" not in text
    assert not {"\u202e", "\x1b", "\x9b"} & set(text)


def test_every_link_leads_to_a_page(pages):  # but the one to a trade that this world made up
    seen, waiting = {f"/trade/{'ab' * 32}"}, [PAGES[name]() for name in PAGES if name != "error"]
    while waiting and len(seen) < 250:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        if address.startswith("/api/regime?") and address != f"/api/regime?as_of={AS_OF_TEXT}":
            continue  # no hour is known as of now
        answer = pages.get(address)
        is_new = "as_of=" not in address or address in {f"/quality?as_of={AS_OF_TEXT}", f"/regime?as_of={AS_OF_TEXT}"}
        assert answer.status_code == 200, address
        if is_new and answer.headers["content-type"].startswith("text/html"):
            waiting += ReadHtml(answer.text).links(address)

    assert {path.partition("?")[0] for path in seen} >= {"/quality/refused", "/quality/dead-letters", "/api/states"}


def test_the_heat_map_shows_every_channel_with_its_state_or_why_there_is_none(pages):
    text = " ".join(ReadHtml(pages.get(f"/regime?as_of={AS_OF_TEXT}").text).text.split())

    assert "S3 trim_flag" in text
    assert text.count("never materialized") > 10
    assert "macro=Recover|meso=Dip|micro=Good|bucket_leader=nano" in text


def test_the_regime_of_then_tells_nothing_of_later(pages):
    early = pages.get(f"/regime?as_of={START - 30 * HOUR:%Y-%m-%dT%H:%M:%SZ}").text

    assert "S3" not in ReadHtml(early).text
    spans = [each for tag, each in ReadHtml(early).elements if "span" in (each.get("class") or "").split()]
    assert spans
    assert all(float(each["x"]) + float(each["width"]) <= 880.1 for each in spans)


def test_the_slider_leads_to_instants_up_to_the_one_shown(pages):
    links = ReadHtml(pages.get(f"/regime?as_of={AS_OF_TEXT}").text).links("/regime")

    stops = [link for link in links if link.startswith("/regime?as_of=2025-05")]
    assert len(stops) > 30
    assert f"/regime?as_of={AS_OF_TEXT}" in links
    assert f"/regime?as_of={AS_OF + HOUR:%Y-%m-%dT%H:%M:%S}Z" in links


def test_the_knob_of_the_slider_leads_to_the_hour_it_stands_at(pages):
    page = ReadHtml(pages.get(f"/regime?as_of={AS_OF_TEXT}&timeframe=4h").text)
    fields = {each["name"]: each for tag, each in page.elements if tag == "input" and "name" in each}
    hour, since = fields["hour"], fields["since"]["value"]

    def slid(place: int) -> str:
        answer = pages.get("/regime", params={"since": since, "hour": place, "timeframe": "4h"})
        assert answer.status_code == 303
        return answer.headers["location"]

    assert slid(int(hour["value"])) == f"/regime?as_of={AS_OF_TEXT}&timeframe=4h"
    assert slid(int(hour["value"]) - 1) == f"/regime?as_of={AS_OF - HOUR:%Y-%m-%dT%H:%M:%S}Z&timeframe=4h"
    assert slid(1) == f"/regime?as_of={since}&timeframe=4h"
    assert pages.get("/regime", params={"since": since, "hour": int(hour["max"]) + 1}).status_code == 400
    assert pages.get("/regime", params={"since": "2200-12-31T23:00Z", "hour": 3}).status_code == 400


def test_links_keep_what_the_page_was_asked_for(pages):
    lessons = ReadHtml(pages.get("/lessons?day=2025-06-10").text).links("/lessons")
    overview = ReadHtml(pages.get(f"/?as_of={AS_OF_TEXT}").text).links("/")

    assert {"/tuning?day=2025-06-10", "/regime?as_of=2025-06-11T00:00:00Z", "/config", "/switch"} <= set(lessons)
    assert f"/lesson/{sha256('nano')}?day=2025-06-10" in lessons
    assert {f"/regime?as_of={AS_OF_TEXT}", f"/quality?as_of={AS_OF_TEXT}", "/lessons"} <= set(overview)


def test_the_board_is_red_where_something_lacks_and_knows_no_bar_before_its_close(pages):
    first_hour = ReadHtml(pages.get(f"/quality?as_of={START + HOUR / 2:%Y-%m-%dT%H:%M:%SZ}").text)
    later = pages.get(f"/quality?as_of={AS_OF_TEXT}").text

    assert "regime.ae_score - no row" in " ".join(first_hour.text.split())
    assert "regime.ae_score 2025-06-01 04:00Z 0m" in " ".join(ReadHtml(later).text.split())
    assert (
        f'<td class="n bad"><a href="/regime?as_of={AS_OF_TEXT}&amp;timeframe=1h" title="{AS_OF_TEXT}">9</a>' in later
    )


def test_an_override_is_as_it_stood_at_the_instant(pages):
    number = override_of("nano")
    early = ReadHtml(pages.get(f"/override/{number}?as_of=2025-06-12T00:00Z").text).text
    late = ReadHtml(pages.get(f"/override/{number}?as_of=2025-07-12T00:00Z").text).text

    assert "what it would do is watched from now on" in early
    assert "nothing spoke against it" not in early
    assert "nothing spoke against it" in late
    assert "It was not there yet" in pages.get(f"/override/{number}?as_of=2025-06-01T00:00Z").text


@pytest.mark.parametrize("number", ["0", "99999", "9" * 30, "-1", "1e3", "%D9%A3", "..%2f..%2fetc%2fpasswd", "'"])
def test_an_override_that_is_not_there_is_refused(pages, number):
    assert pages.get(f"/override/{number}").status_code == 404


def test_the_waterfall_leads_from_a_half_to_the_lever_that_was_used(pages):
    read = ReadHtml(pages.get(f"/action/{order_of('entry')}").text)

    kinds = [each["class"] for tag, each in read.elements if (each.get("class") or "").startswith("bar ")]
    assert kinds[:3] == ["bar start", "bar rise", "bar rise"]
    assert kinds[-1] == "bar sum"
    assert "base: 0.5 0.5" in " ".join(read.text.split())
    assert "A used: 0.6825" in " ".join(read.text.split())


def test_a_page_of_a_replay_that_is_not_there_says_so(pages):
    for address in (f"/action/{trade_of()}?replay=no", "/lessons?replay=no", "/override/1?replay=no"):
        answer = pages.get(address)
        assert answer.status_code == 404
        assert "No replay" in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/style.css/../app.py",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/templates/base.html",
        "/style.css%00.html",
        "//etc/passwd",
    ],
)
def test_no_address_leads_to_a_file(pages, address):
    answer = pages.get(f"http://127.0.0.1:3010{address}")

    assert answer.status_code == 404
    assert "root:" not in answer.text


@pytest.mark.parametrize("table", [HOSTILE, "pg_class", ""])
def test_rows_of_a_table_that_is_none_are_none(pages, table):
    answer = pages.get("/quality/refused", params={"table": table, "reason": "price_jump"})

    assert answer.status_code in (200, 400)
    assert "<script" not in answer.text
    assert pages.get("/quality/refused", params={"table": "x", "reason": HOSTILE}).status_code == 400


def test_a_database_that_is_not_there_is_told_and_no_page_falls(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/nothing")
    monkeypatch.delenv("DATABASE_URL_CONSOLE", raising=False)

    for address in ("/", "/regime", "/lessons", "/quality", "/switch", "/api/ae"):
        answer = client().get(address)
        assert answer.status_code == 503
        assert "Cannot connect" in answer.text
        assert "secret" not in answer.text
