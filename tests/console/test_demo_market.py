"""The simulated market of a demo: one a folder of state, and the same prices in each."""

from datetime import UTC, datetime, timedelta

from console.demo_market import START_VARIABLE, DemoMarket, begin_market, begun_market
from console.stack import Stack

NOON = datetime(2026, 5, 3, 12, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 5, 3, tzinfo=UTC)


def test_the_first_demo_ends_with_the_day_before_and_reaches_back_500_days(tmp_path):
    assert begin_market(tmp_path / "state", NOON) == DemoMarket(MIDNIGHT - timedelta(days=500), MIDNIGHT)


def test_a_later_demo_in_the_same_folder_sees_the_same_market(tmp_path):
    first = begin_market(tmp_path, NOON)

    assert begin_market(tmp_path, NOON + timedelta(days=40)) == first == begun_market(tmp_path)


def test_what_is_started_afterwards_goes_on_with_the_market_of_the_demo(monkeypatch, tmp_path):
    monkeypatch.delenv(START_VARIABLE, raising=False)
    assert START_VARIABLE not in Stack(tmp_path).environment()
    begun = begin_market(tmp_path, NOON)

    assert Stack(tmp_path).environment()[START_VARIABLE] == begun.start.isoformat()


def test_a_start_that_is_named_counts_more_than_the_demos(monkeypatch, tmp_path):
    begin_market(tmp_path, NOON)
    monkeypatch.setenv(START_VARIABLE, "2025-01-01T00:00:00+00:00")

    assert Stack(tmp_path).environment()[START_VARIABLE] == "2025-01-01T00:00:00+00:00"
