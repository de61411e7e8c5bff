"""Cells of the quality board: which are good, which are watched, and which are bad."""

from datetime import timedelta
from typing import Any

import pytest

from console.pages.quality_board import (
    GAP_TABLES,
    JUDGED,
    Level,
    coverage_lines,
    gap_rows_told,
    late_row,
    refused_told,
    stale_row,
    waiting_told,
)
from console.quarantine_commands import RELEASABLE
from tests.portfolio_rows import HOUR, START

MINUTE = timedelta(minutes=1)


def score(coverage: int | None, timeframe: str = "1h") -> dict[str, Any]:
    return {"timeframe": timeframe, "timestamp": None if coverage is None else START, "coverage": coverage}


def late(table: str, hours: float | None, due: timedelta = HOUR) -> dict[str, Any]:
    newest = None if hours is None else START - due - hours * HOUR
    return late_row({"name": f"regime.{table}", "newest": newest, "due": due}, START)


def test_a_score_is_bad_on_few_channels_watched_on_some_and_good_on_all():
    ((_, cells),) = coverage_lines([score(11), score(12), score(14), score(15), score(None)], 12)

    assert [cell["level"] for cell in cells] == ["bad", "watch", "watch", "good", "bad"]
    assert cells[0]["known_at"] == f"{START + HOUR:%Y-%m-%dT%H:%M:%S}Z"


def test_a_timeframe_nobody_scores_is_absent_and_neither_good_nor_bad():
    assert [cell["level"] for _, cells in coverage_lines([score(None), score(None)], 12) for cell in cells] == [
        Level.ABSENT,
        Level.ABSENT,
    ]


@pytest.mark.parametrize(("minutes", "level"), [(0, "good"), (60, "good"), (61, "watch"), (120, "watch"), (121, "bad")])
def test_a_table_is_watched_from_half_of_its_patience_on(minutes, level):
    row = {"name": "regime.regime_context", "newest": START, "ready": START, "age": "x"}

    assert stale_row(row, START + minutes * MINUTE)["level"] == level


def test_a_table_without_a_row_is_bad_and_leads_somewhere():
    row = stale_row({"name": "pm.pm_tick", "newest": None, "ready": None, "age": None}, START)

    assert (row["level"], row["link"]) == ("bad", "/switch")
    assert late("token_metadata", None)["level"] == "bad"


@pytest.mark.parametrize(
    ("hours", "level", "words"), [(0.5, "good", "on time"), (2.5, "watch", "2h 30m late"), (4, "bad", "4h late")]
)
def test_a_table_is_watched_two_hours_late_and_bad_three(hours, level, words):
    row = late("phase_state", hours)

    assert (row["level"], row["age"]) == (level, words)


def test_a_late_raw_table_leads_to_its_holes_and_another_to_the_regime_of_then():
    assert late("majors_price_data_ohlc 1m", 9.0)["link"].startswith(
        "/quality/gaps?table=majors_price_data_ohlc&timeframe=1m&as_of=2025-06-01"
    )
    assert late("phase_state", 9.0)["link"] == "/regime?as_of=2025-05-31T14:00:00Z"
    assert {late(f"{table} 1d", 1.0)["link"].partition("?")[0] for table in GAP_TABLES} == {"/quality/gaps"}


@pytest.mark.parametrize(("missing", "level"), [(0, "good"), (10, "watch"), (11, "bad")])
def test_a_hundredth_of_the_bars_may_lack(missing, level):
    (row,) = gap_rows_told([{"bars": 1000 - missing, "missing": missing}])

    assert (row["missing_frac"], row["level"]) == (missing / 1000, level)


def test_what_a_person_may_release_is_watched_and_what_is_broken_is_bad():
    assert JUDGED == RELEASABLE
    assert [row["level"] for row in refused_told([{"reason": "price_jump"}, {"reason": "high_below_low"}])] == [
        "watch",
        "bad",
    ]
    assert [row["level"] for row in waiting_told([{"status": "parked"}, {"status": "refused"}])] == ["watch", "bad"]
