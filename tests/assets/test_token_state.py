"""Indicators and states of a few tokens over a real Postgres: whom they follow, since when, and how minutes end."""

from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta

import dagster as dg
import polars as pl
import pytest

from domain.config.pm_config import PmConfig
from domain.regime.indicator import indicator_frame
from domain.regime.uptrend_engine import HISTORY_ROWS, uptrend_frame
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window
from regime_assets import token_ta, token_uptrend_state
from regime_assets.chain_asset import ChainTable, Work
from regime_assets.followed_token import KEY
from resources.inline_check import BlockedByCheckError
from resources.tables import Tables
from tests.postgres_fixtures import throw_away_database
from tests.token_world import (
    BARS,
    FIRST,
    TABLES,
    day,
    made,
    make,
    store_bars,
    store_tags,
    token_bars,
    work,
)

pytestmark = pytest.mark.postgres

END = day(22)
MINUTES_FROM = day(20)
"""The day END opens is the last of three."""
STEADY, FLAPPING, LATE, GROWN, GIANT, UNTAGGED = "steady", "flapping", "late", "grown", "giant", "untagged"
BARS_OF = pl.concat(
    [
        token_bars(STEADY, 1),
        token_bars(FLAPPING, 2, keep=0.4),
        *(token_bars(name, seed).filter(timeframe="1h") for seed, name in enumerate((LATE, GROWN, GIANT, UNTAGGED), 3)),
    ]
)
TAGS_OF = {
    STEADY: {"micro": range(22)},
    FLAPPING: {"nano": [2, 3, 7], "micro": [15]},
    LATE: {"mid": range(6, 22)},
    GROWN: {"large": range(1, 10), "xl": range(10, 22)},
    GIANT: {"xl": range(22)},
}
FOLLOWED_FROM = {STEADY: 0, FLAPPING: 2, LATE: 6, GROWN: 1}


@pytest.fixture
def world(database):
    """Bars and tags, nothing made yet."""
    store_bars(BARS_OF, END)
    store_tags(TAGS_OF)


@pytest.fixture(scope="module")
def at_once(postgres_server, database_template):
    """What one run over all days tells, and the rows it makes."""
    with throw_away_database(postgres_server, database_template):
        store_bars(BARS_OF, END)
        store_tags(TAGS_OF)
        yield make(Window(FIRST, END)), made()


def followed() -> pl.DataFrame:
    """Bars that are to have indicators, written down by hand."""
    since = pl.col("token_contract").replace_strict({name: day(n) for name, n in FOLLOWED_FROM.items()}, default=None)
    is_followed = (pl.col("timestamp") >= since).fill_null(value=False)
    return BARS_OF.filter(is_followed & ((pl.col("timeframe") != "1m") | (pl.col("timestamp") >= MINUTES_FROM)))


def test_the_rows_are_those_of_the_same_bars_put_through_the_domain_at_once(at_once):
    bars, config = followed(), PmConfig().regime
    indicators = indicator_frame(bars, None, key=KEY, config=config.indicator)
    states = uptrend_frame(
        bars.join(indicators, on=[*KEY, "timestamp"]), None, key=KEY, config=config.uptrend, start=FIRST
    )

    for table, wanted in zip(TABLES, (indicators, states), strict=True):
        stored = at_once[1][table]
        order = [*KEY, "timestamp"]
        assert stored.select(wanted.columns).sort(order).equals(wanted.sort(order)), table
    assert set(states["state"]) == {"S0", "S1", "S2", "S3", "S4"}


@pytest.mark.parametrize("days", [1, 4])
def test_days_one_by_one_or_a_few_together_give_what_all_at_once_give(world, at_once, days):
    for number in range(0, 22, days):
        make(Window(day(number), min(day(number + days), END)), END)

    for table, rows in made().items():
        assert rows.equals(at_once[1][table]), table


def test_a_second_run_writes_nothing_and_changes_not_even_the_stamps(world):
    make(Window(FIRST, END))
    before = made(stamps=True)

    again = make(Window(FIRST, END))

    for table, rows in made(stamps=True).items():
        assert rows.equals(before[table])
        told = again[table].metadata
        assert (told["rows_written"], told["rows_replaced"], told["rows_left_unchanged"]) == (0, 0, rows.height)


def test_steps_of_minutes_give_what_a_run_gives(world, at_once):
    hour = END - timedelta(hours=1)
    make(Window(FIRST, hour), END)

    for minutes in (1, 2, 17, 59, 60):
        store_bars(BARS_OF, hour + timedelta(minutes=minutes))
        make(Window(hour, hour + timedelta(minutes=minutes)))

    is_inside = pl.col("timeframe") != "4h"  # the bar that closes with this hour opened before it
    for table, rows in made().items():
        assert rows.filter(is_inside).equals(at_once[1][table].filter(is_inside)), table


def test_a_day_without_a_tag_leaves_no_hole(at_once):
    for rows in at_once[1].values():
        opens = rows.filter(token_contract=FLAPPING, timeframe="1h")["timestamp"]
        assert opens.len() == 20 * 24
        assert (opens.min(), opens.max()) == (day(2), END - timedelta(hours=1))


def test_a_token_is_followed_from_its_first_tag_below_xl_on_for_good(at_once):
    for rows in at_once[1].values():
        first = dict(rows.filter(timeframe="1h").group_by("token_contract").agg(pl.col("timestamp").min()).rows())
        assert first == {name: day(number) for name, number in FOLLOWED_FROM.items()}


def test_a_tag_of_a_later_day_changes_no_earlier_row(world):
    store_tags({**TAGS_OF, UNTAGGED: {"nano": [12]}})
    make(Window(FIRST, day(12)), END)
    without = made()

    make(Window(day(12), END), END)

    for table, rows in made().items():
        assert rows.filter(pl.col("timestamp") < day(12)).equals(without[table])
        assert rows.filter(token_contract=UNTAGGED)["timestamp"].min() == day(12)


def minutes_of(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    return rows.filter(token_contract=name, timeframe="1m")


def test_minutes_older_than_the_kept_days_end_but_for_what_the_next_ones_go_on_from(world):
    make(Window(FIRST, day(21)))
    make(Window(day(21), END))

    for rows in made().values():
        for name in (STEADY, FLAPPING):
            minutes = minutes_of(rows, name)
            kept = minutes.filter(pl.col("timestamp") >= MINUTES_FROM)
            bars = BARS_OF.filter(pl.col("timestamp") >= MINUTES_FROM, token_contract=name, timeframe="1m")
            assert (kept.height, minutes.height - kept.height) == (bars.height, HISTORY_ROWS)
        assert rows.filter(timeframe="1h", token_contract=STEADY).height == 22 * 24


@pytest.mark.parametrize("first", [0, 17, 18, 19, 20])
def test_after_minutes_have_ended_a_run_of_past_days_gives_the_same_bytes(world, first):
    make(Window(FIRST, day(21)))
    make(Window(day(21), END))
    before = made()

    make(Window(day(first), END))
    at_once = made()
    for number in range(first, 22):
        make(Window(day(number), day(number + 1)), END)

    for table, rows in made().items():
        assert at_once[table].equals(before[table]), table
        assert rows.equals(before[table]), table


def test_a_corrected_bar_changes_the_rows_from_it_on_and_no_other(world):
    make(Window(FIRST, END))
    before = made(stamps=True)
    at = day(15) + timedelta(hours=5)
    is_it = (pl.col("timestamp") == at) & (pl.col("timeframe") == "1h") & (pl.col("token_contract") == STEADY)
    store_bars(BARS_OF.with_columns(high_usd=pl.when(is_it).then(2.0).otherwise(1.0) * pl.col("high_usd")), END)

    make(Window(FIRST, END))

    rows, old = (frames[token_ta.SPEC.table] for frames in (made(stamps=True), before))
    key = [*KEY, "timestamp"]
    changed = rows.join(old.select(*key, old_atr="atr"), on=key).filter(pl.col("atr") != pl.col("old_atr"))
    assert set(changed.select(KEY).unique().rows()) == {(STEADY, "x", "1h")}
    assert changed["timestamp"].min() == at
    assert rows.filter(pl.col("timestamp") < at).equals(old.filter(pl.col("timestamp") < at))


def test_a_timeframe_that_is_no_longer_asked_for_is_forgotten(world):
    make(Window(FIRST, END))

    make(Window(FIRST, END), timeframes=("1h", "4h"))

    for rows in made().values():
        assert set(rows.filter(pl.col("timestamp") >= MINUTES_FROM)["timeframe"]) == {"1h", "4h"}


def test_the_metadata_counts_tokens_cold_bars_transitions_and_flags(at_once):
    told, rows = at_once
    ta, states = (told[table].metadata for table in TABLES)
    frame = rows[token_uptrend_state.SPEC.table]
    trims = int(frame["trim_flag"].sum())

    assert (ta["tokens_followed"], ta["tokens_with_bars"], states["tokens_followed"]) == (4, 4, 4)
    assert ta["bars_below_warm_up"] == states["rows_warming_up"] == frame.filter(status="warming_up").height > 0
    assert states["transitions"] == dict(frame["transition"].drop_nulls().value_counts().rows())
    assert states["flags_raised"]["trim_flag"] == trims > 0
    assert states["flags_raised_frac"]["trim_flag"] == pytest.approx(trims / frame.height)
    assert states["newest_bar"] == (END - Timeframe.M1.duration).isoformat()


def test_without_any_tag_there_are_no_rows_and_nothing_fails(database):
    store_bars(BARS_OF.filter(timeframe="1h"), END)

    told = make(Window(FIRST, END))

    assert all(rows.is_empty() for rows in made().values())
    assert told[token_ta.SPEC.table].metadata["tokens_followed"] == 0


class TamperingWork(Work):
    """Work whose rows are changed before they are published."""

    def replace(self, frame: pl.DataFrame, **rest: object) -> dg.MaterializeResult:
        """Replace the window by what the change makes of its rows."""
        return super().replace(TAMPERS[self.stamp.run_id](frame), **rest)


def nth(column: str, value: object, picked: pl.Expr) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Put a value in the first row that is picked."""

    def tamper(frame: pl.DataFrame) -> pl.DataFrame:
        at = pl.int_range(pl.len()) == pl.arg_where(picked).first()
        return frame.with_columns(pl.when(at).then(pl.lit(value)).otherwise(pl.col(column)).alias(column))

    return tamper


IS_MOVING = pl.col("transition").is_not_null()
TAMPERS: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "a row less": lambda frame: frame.tail(-1),
    "another price": nth("latest_price", 1.0, pl.col("latest_price") > 0),
    "a state less": lambda frame: frame.head(-1),
    "an arrow that is none": nth("transition", "S0->S3", IS_MOVING),
    "a move without reason": nth("transition_reason", None, IS_MOVING),
    "no score": nth("ox", None, pl.col("state") == "S2"),
}


@pytest.mark.parametrize(
    ("spec", "run_id", "check"),
    [
        (token_ta.SPEC, "a row less", "one_row_per_followed_bar"),
        (token_ta.SPEC, "another price", "one_row_per_followed_bar"),
        (token_uptrend_state.SPEC, "a state less", "one_state_per_indicator_row"),
        (token_uptrend_state.SPEC, "an arrow that is none", "transitions_are_legal"),
        (token_uptrend_state.SPEC, "a move without reason", "transitions_are_legal"),
        (token_uptrend_state.SPEC, "no score", "scores_are_present"),
    ],
)
def test_each_check_stops_the_rows_it_is_against(world, spec: ChainTable, run_id, check):
    make(Window(FIRST, day(20)))
    before = made()
    window = Window(FIRST, END)
    token_ta.SPEC.publish(work(token_ta.SPEC, window, END))
    honest = work(spec, window, END)
    values = {field.name: getattr(honest, field.name) for field in fields(honest)}

    with pytest.raises(BlockedByCheckError) as blocked:
        spec.publish(TamperingWork(**{**values, "stamp": type(honest.stamp)(run_id, "1")}))

    assert blocked.value.failed == {check: 1}
    assert made()[token_uptrend_state.SPEC.table].equals(before[token_uptrend_state.SPEC.table])


def test_the_bars_are_only_read(world):
    before = Tables().read(BARS, Window(FIRST, END))

    make(Window(FIRST, END))

    assert Tables().read(BARS, Window(FIRST, END)).equals(before)
