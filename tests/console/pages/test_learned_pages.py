"""Pages that had only a command: trades, a lesson, the walk-forward, thresholds, notes, sets, the configuration."""

import pytest

from console.pages.dagster_url import read_dagster_url
from console.session import RefusedError
from tests.console.learned_rows import ESCAPE
from tests.console.pages.page_world import HOSTILE, override_of
from tests.console.pages.read_html import ReadHtml
from tests.console.ticked_trade import trade_of
from tests.portfolio_rows import sha256

pytestmark = pytest.mark.postgres


def read(pages, address: str) -> ReadHtml:
    answer = pages.get(address)
    assert answer.status_code == 200, answer.text
    return ReadHtml(answer.text)


def text_of(pages, address: str) -> str:
    return " ".join(read(pages, address).text.split())


def test_trades_lead_to_their_pages_and_can_be_only_the_open_ones(pages):
    links = read(pages, "/trades").links("/trades")

    assert f"/trade/{trade_of()}" in links
    assert f"/trade/{trade_of()}" not in read(pages, "/trades?open=1").links("/trades")
    assert "1 open, 1 closed" in text_of(pages, "/trades")


def test_a_lesson_is_told_with_its_evidence_its_days_and_its_overrides(pages):
    text, links = text_of(pages, f"/lesson/{sha256('nano')}"), read(pages, f"/lesson/{sha256('nano')}").links("/lesson")

    assert "effect against the rest of everywhere, R (90%) +0.42 (+0.10 to +0.74)" in text
    assert "p; q, the share of such findings that chance would make 0.0010; 0.0120" in text
    assert f"/why/lesson/{sha256('nano')}" in links
    assert f"/why/lesson/{sha256('nano')}?down=1" in links
    assert any(link.startswith("/override/") for link in links)


def test_a_lesson_may_be_named_by_its_first_digits_and_not_by_a_day_before_it(pages):
    assert pages.get(f"/lesson/{sha256('nano')[:8]}").status_code == 200
    early = pages.get(f"/lesson/{sha256('nano')}?day=2025-06-09")

    assert early.status_code == 404
    assert "No day up to 2025-06-09 knew lesson" in early.text


def test_an_override_leads_to_its_lesson_and_to_why(pages):
    number = override_of("nano")
    links = read(pages, f"/override/{number}").links("/override")

    assert f"/why/override/{number}" in links
    assert f"/lesson/{sha256('nano')}?day=2025-06-10" in links


def test_the_walk_forward_is_said_and_drawn_to_the_same_sum(pages):
    page = read(pages, "/forward")
    text = " ".join(page.text.split())

    total = pages.get("/api/forward").json()["forward"]["difference_usd"]
    assert f"{total:+,.2f} USD" in text
    marks = [each for tag, each in page.elements if tag == "circle"]
    assert len(marks) == pages.get("/api/forward").json()["report"]["n_days"]
    assert f"2025-06-10 00:00Z: {total:+,.2f}" in text
    assert "as it claims" in text


def test_thresholds_are_told_with_verdict_step_and_interval(pages):
    text = text_of(pages, "/tuning")

    assert "loosened: kept out winners" in text
    assert "1.000 → 0.950" in text
    assert "30/33 91% (79% to 96%)" in text


def test_rates_are_drawn_inside_of_their_picture(pages):
    page = read(pages, "/tuning?rates=1")

    places = [float(each["cx"]) for tag, each in page.elements if tag == "circle"]
    assert places
    assert all(0 <= place <= 160 for place in places)
    assert "won of bought" in page.text


def test_a_note_is_text_and_what_was_refused_is_counted(pages):
    text = text_of(pages, "/notes")

    assert "a note moves no number, and may be wrong" in text
    assert "- One holds." in text
    assert "no_json 1" in text
    assert "No note." in text_of(pages, "/notes?kind=hypothesis")


def test_sets_are_listed_with_the_live_one_and_lead_to_their_overrides(pages):
    assert "Set 102 is live since" in text_of(pages, "/sets")
    links = read(pages, "/sets/102").links("/sets/102")

    assert f"/override/{override_of('nano')}" in links
    assert "/sets/101" in links


def test_the_configuration_says_which_version_gave_a_value(pages):
    assert "scores.min_coverage 11 version 2 by ann" in text_of(pages, "/config?prefix=scores.min_coverage")
    assert "scores.min_coverage 12 default" in text_of(pages, "/config?prefix=scores.min_coverage&version=1")


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/trades?open=perhaps", 400, "open=1"),
        ("/trades?replay=no", 404, "No replay"),
        ("/lesson/zz", 404, "No lesson has the id"),
        ("/lesson/" + "0" * 64, 404, "No lesson has the id"),
        ("/lesson/00000000?day=x", 400, "Expected a day"),
        ("/forward?day=2024-01-01", 404, "was not learned"),
        ("/tuning?rates=x", 400, "rates=1"),
        ("/notes?kind=x", 400, "Expected a kind"),
        ("/notes?day=2024-01-01", 404, "has no notes"),
        ("/sets?most=0", 400, "from 1 to"),
        ("/sets/5", 404, "No set 5"),
        ("/sets/five", 404, "Expected the number of a set"),
        ("/sets/5?day=2025-06-10", 400, "there are none here"),
        ("/config?version=77", 404, "77"),
        ("/config?prefix=nothing", 404, "No key begins"),
        ("/why/override/0", 404, "No override 0"),
        ("/why/override/1?down=maybe", 400, "down=1"),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(pages, address, status, said):
    answer = pages.get(address)

    assert answer.status_code == status
    assert said in ReadHtml(answer.text).text


@pytest.mark.parametrize("address", ["/lesson/{}", "/trade/{}", "/sets/{}", "/notes?kind={}", "/config?prefix={}"])
@pytest.mark.parametrize("text", [HOSTILE, ESCAPE, "\x00", "x" * 500])
def test_a_hostile_address_is_refused_as_text(pages, address, text):
    path, mark, query = address.partition("?")
    answer = pages.get(path.format(_quoted(text)) + mark + query.format(_quoted(text)))

    assert answer.status_code in (400, 404)
    assert "<script" not in answer.text
    assert "\x1b" not in answer.text


@pytest.mark.parametrize(
    "text", ["ftp://x", "javascript:alert(1)", "//x", "http://u:p@x", "http://x/?a=1", "http://[", "x"]
)
def test_an_address_of_the_dagster_ui_that_is_none_is_refused(text):
    with pytest.raises(RefusedError, match="LOWCAP_DAGSTER_URL"):
        read_dagster_url({"LOWCAP_DAGSTER_URL": text})


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())
