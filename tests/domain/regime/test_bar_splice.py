"""Sources of one series: who may continue it. F7: a pool or a unit that changes within a series."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.regime.bar_quarantine import QUARANTINE_SCHEMA, RAW_SCHEMA
from domain.regime.bar_splice import WANTED, Spliced, splice

AT = datetime(2025, 7, 1, tzinfo=UTC)
OLD, NEW, THIRD = "geckoterminal:eth/0xold", "geckoterminal:eth/0xnew", "binance_spot:PEPEUSDT"


def bars(source: str, closes: dict[int, float | None], *, wanted: bool = True, token: str = "PEPE") -> pl.DataFrame:
    """Flat hour bars, the close by hour."""
    rows = [
        (token, "eth", "1h", AT + timedelta(hours=hour), close, close, close, close, 1.0, source, wanted)
        for hour, close in closes.items()
    ]
    return pl.DataFrame(rows, schema={**RAW_SCHEMA, WANTED: pl.Boolean()}, orient="row")


def spliced(*offered: pl.DataFrame, known: pl.DataFrame | None = None, **changed: object) -> Spliced:
    settings = {"trust": [OLD, NEW, THIRD], "max_ratio": 1.25}
    nothing = bars(OLD, {})
    return splice(pl.concat([nothing, *offered]), nothing if known is None else known, **(settings | changed))


def sources(frame: pl.DataFrame) -> list[str]:
    return sorted(set(frame["source"]))


def test_a_source_that_is_in_the_series_continues_it():
    result = spliced(bars(OLD, {5: 900.0}), known=bars(OLD, {0: 1.0}))

    assert (sources(result.accepted), result.refused.height) == ([OLD], 0)


def test_another_source_in_the_same_unit_continues_it_and_its_compared_bars_stay_out():
    result = spliced(bars(NEW, {0: 1.1}, wanted=False), bars(NEW, {1: 1.2}), known=bars(OLD, {0: 1.0}))

    assert_frame_equal(result.accepted, bars(NEW, {1: 1.2}).select(*RAW_SCHEMA))
    assert result.refused.is_empty()


@pytest.mark.parametrize("factor", [1000.0, 1 / 1000, 1.3, 1 / 1.3])
def test_a_source_in_another_unit_is_refused_with_the_ratio(factor):
    beside = {0: factor, 1: factor * 1.01, 2: factor * 0.99}
    known = bars(OLD, dict.fromkeys(range(3), 1.0))

    result = spliced(bars(NEW, beside, wanted=False), bars(NEW, {3: factor}), known=known)

    assert result.accepted.is_empty()
    assert result.refused.select("reason", "timestamp").rows() == [("revision_conflict", AT + timedelta(hours=3))]
    assert result.refused["detail"].item() == (
        f"close of {NEW} is {factor:.6g} times that of {OLD} over 3 bars, more than 1.25 apart"
    )
    assert dict(result.refused.schema) == QUARANTINE_SCHEMA


def test_one_bar_that_is_out_of_line_does_not_decide():
    known = bars(OLD, dict.fromkeys(range(5), 1.0))
    result = spliced(bars(NEW, {0: 1.0, 1: 50.0, 2: 1.01, 3: 0.99}, wanted=False), bars(NEW, {5: 1.0}), known=known)

    assert result.accepted.height == 1


def test_a_source_without_a_common_bar_is_refused_unless_it_is_said_to_open_anew():
    known, offered = bars(OLD, {0: 1.0}), bars(NEW, {1: 1.0})

    assert "no bar beside one of" in spliced(offered, known=known).refused["detail"].item()
    assert spliced(offered, known=known, anew={NEW}).accepted.height == 1


def test_a_source_that_opens_anew_is_refused_all_the_same_where_it_can_be_compared():
    result = spliced(bars(NEW, {0: 9.0, 1: 9.0}), known=bars(OLD, {0: 1.0}), anew={NEW})

    assert (result.accepted.height, result.refused.height) == (0, 2)


def test_a_new_series_begins_with_the_most_trusted_source():
    result = spliced(bars(NEW, {0: 1.0, 1: 1.0}), bars(OLD, {1: 1000.0, 2: 1000.0}))

    assert (sources(result.accepted), sources(result.refused)) == ([OLD], [NEW])


def test_a_source_that_joined_lets_in_the_next_one():
    offered = bars(THIRD, {1: 1.0, 2: 1.0}), bars(NEW, {2: 1.0, 3: 1.0})

    assert sources(spliced(*offered, known=bars(OLD, {1: 1.0})).accepted) == [THIRD, NEW]
    assert sources(spliced(*offered, known=bars(OLD, {0: 1.0})).refused) == [THIRD, NEW]


def test_each_series_is_judged_for_itself():
    other = bars(NEW, {0: 7.0}, token="MOG")
    result = spliced(bars(NEW, {0: 7.0}), other, known=bars(OLD, {0: 1.0}))

    assert (result.accepted["token_contract"].item(), result.refused["token_contract"].item()) == ("MOG", "PEPE")


@pytest.mark.parametrize("close", [None, float("nan"), 0.0, -1.0, float("inf")])
def test_a_close_that_is_no_price_compares_with_nothing(close):
    result = spliced(bars(NEW, {0: close}, wanted=False), bars(NEW, {1: 1.0}), known=bars(OLD, {0: 1.0}))

    assert "no bar beside" in result.refused["detail"].item()


def test_the_order_of_the_rows_changes_nothing():
    rows = pl.concat([bars(NEW, {0: 1.0, 1: 2.0}), bars(THIRD, {0: 5.0, 2: 5.0}), bars(OLD, {1: 2.0})])
    one, other = spliced(rows), spliced(rows.reverse())

    assert_frame_equal(one.accepted, other.accepted, check_row_order=False)
    assert_frame_equal(one.refused, other.refused)


def test_a_ratio_that_lets_nothing_differ_is_refused():
    with pytest.raises(ValueError, match="must be > 1"):
        spliced(max_ratio=1.0)
