from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.config.bar import BarConfig
from domain.regime.bar import ValidatedBars, validate_bars
from domain.regime.bar_jump import LAST_CLOSE_SCHEMA
from domain.regime.bar_quarantine import BAR_KEY, QUARANTINE_SCHEMA, RAW_SCHEMA
from domain.vocabulary.bar_quarantine import QuarantineReason

T0 = datetime(2025, 10, 30, tzinfo=UTC)
NO_CLOSE = pl.DataFrame(schema=LAST_CLOSE_SCHEMA)


def bar(token="T", minute=0, price=1.0, **changes):
    """One 1m bar that opens `minute` minutes after T0, flat at `price`."""
    row = {"token_contract": token, "chain": "bsc", "timeframe": "1m", "timestamp": T0 + timedelta(minutes=minute)}
    row |= dict.fromkeys(("open_usd", "high_usd", "low_usd", "close_usd"), price)
    return row | {"volume": 10.0, "source": "venue"} | changes


def validated(*rows, previous=NO_CLOSE, as_of=T0 + timedelta(days=30), released=(), **config) -> ValidatedBars:
    frame = pl.DataFrame(list(rows), schema=RAW_SCHEMA)
    return validate_bars(frame, previous, as_of=as_of, config=BarConfig(**config), released=released)


def last_close(*series):
    """Last closes one minute before T0, of (token, close) pairs."""
    rows = [bar(token, minute=-1, price=close) for token, close in series]
    return pl.DataFrame(rows).select("token_contract", "chain", "timeframe", "timestamp", "close_usd")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"close_usd": None}, "missing_value"),
        ({"volume": None}, "missing_value"),
        ({"timestamp": None}, "missing_value"),
        ({"source": None}, "missing_value"),
        ({"timestamp": T0 + timedelta(seconds=30)}, "off_grid_timestamp"),
        ({"timeframe": "1h", "timestamp": T0 + timedelta(minutes=30)}, "off_grid_timestamp"),
        ({"high_usd": float("inf")}, "not_finite"),
        ({"volume": float("nan")}, "not_finite"),
        ({"low_usd": 0.0}, "non_positive_price"),
        ({"open_usd": -1.0}, "non_positive_price"),
        ({"volume": -0.1}, "negative_volume"),
        ({"high_usd": 0.9}, "ohlc_order"),
        ({"low_usd": 1.1}, "ohlc_order"),
        ({"close_usd": None, "volume": -1.0}, "missing_value"),
        ({"low_usd": 0.0, "volume": -1.0}, "non_positive_price"),
    ],
)
def test_a_broken_row_bears_the_first_reason_that_applies(changes, reason):
    result = validated(bar(**changes))

    assert result.quarantined["reason"].to_list() == [reason]
    assert result.accepted.is_empty()


def test_quarantined_and_accepted_rows_keep_their_declared_shapes():
    result = validated(bar(), bar(minute=1, volume=-1.0))

    assert dict(result.accepted.schema) == RAW_SCHEMA
    assert dict(result.quarantined.schema) == QUARANTINE_SCHEMA
    assert dict(result.last_close.schema) == LAST_CLOSE_SCHEMA


def test_every_row_without_a_time_zone_is_refused_and_its_text_is_kept():
    naive = pl.DataFrame([bar(), bar(minute=1)]).with_columns(pl.col("timestamp").dt.replace_time_zone(None))

    result = validate_bars(naive, NO_CLOSE, as_of=T0, config=BarConfig())

    assert result.quarantined["reason"].unique().to_list() == ["naive_timestamp"]
    assert result.quarantined["timestamp"].null_count() == 2
    assert '"timestamp_text":"2025-10-30T00:00:00' in result.quarantined["payload"][0]


def test_naive_times_in_the_text_column_are_refused_while_the_others_pass():
    frame = pl.DataFrame([bar(), bar(timestamp=None)], schema=RAW_SCHEMA)
    mixed = frame.with_columns(timestamp_text=pl.Series([None, "2025-10-30 00:00"]))

    result = validate_bars(mixed, NO_CLOSE, as_of=T0 + timedelta(days=1), config=BarConfig())

    assert result.quarantined["reason"].to_list() == ["naive_timestamp"]
    assert result.accepted.height == 1


def test_a_time_in_another_zone_is_the_same_instant_in_utc():
    frame = pl.DataFrame([bar()], schema=RAW_SCHEMA)
    frame = frame.with_columns(pl.col("timestamp").dt.convert_time_zone("Asia/Tokyo"))

    result = validate_bars(frame, NO_CLOSE, as_of=T0 + timedelta(days=1), config=BarConfig())

    assert result.accepted["timestamp"].to_list() == [T0]


def test_an_unknown_timeframe_raises():
    with pytest.raises(ValueError, match="2m"):
        validated(bar(timeframe="2m"))


def test_a_forming_bar_is_dropped_and_a_later_one_is_of_the_future():
    as_of = T0 + timedelta(minutes=5, seconds=30)
    rows = [bar(minute=minute) for minute in (4, 5, 6, 7)]

    result = validated(*rows, as_of=as_of, future_tolerance_s=45.0)

    assert result.accepted["timestamp"].to_list() == [T0 + timedelta(minutes=4)]
    assert result.forming == 2
    assert result.quarantined["reason"].to_list() == ["future_bar"]


def test_a_bar_closed_exactly_at_as_of_is_usable():
    assert validated(bar(), as_of=T0 + timedelta(minutes=1)).accepted.height == 1


def test_a_repeated_row_is_counted_and_changes_nothing():
    result = validated(bar(), bar(), bar(source="other"), bar(minute=1, volume=-1.0), bar(minute=1, volume=-1.0))

    assert (result.accepted.height, result.quarantined.height, result.duplicates) == (1, 1, 3)


def test_of_two_values_the_trusted_source_wins_and_the_other_is_kept_as_a_conflict():
    rows = [bar(price=1.0, source="b", volume=99.0), bar(price=1.1, source="a"), bar(price=1.2, source="unknown")]

    result = validated(*rows, source_priority=("a", "b", "a"))

    assert result.accepted["close_usd"].to_list() == [1.1]
    assert result.quarantined["reason"].to_list() == ["revision_conflict"] * 2
    assert "of b gave way to 1.1" in " ".join(result.quarantined["detail"])


def test_of_two_values_of_one_source_the_bar_that_traded_more_wins():
    forming, final = bar(price=1.0, volume=3.0), bar(price=1.0, close_usd=0.9, low_usd=0.9, volume=4.0)

    assert validated(final, forming).accepted["close_usd"].to_list() == [0.9]


@pytest.mark.parametrize("wrong", [{"volume": 99.0}, {"source": "trusted"}, {}])
def test_of_two_rows_of_one_bar_the_one_that_does_not_jump_wins_in_any_order(wrong):
    rows = [bar(minute=1, price=30.0, **wrong), bar(minute=1, price=1.1)]

    both = [validated(bar(), *order, source_priority=("trusted",)) for order in (rows, rows[::-1])]

    assert [each.accepted["close_usd"].to_list() for each in both] == [[1.0, 1.1]] * 2
    assert [each.quarantined["reason"].to_list() for each in both] == [["price_jump"]] * 2
    assert both[0].duplicates == 0


def test_a_person_can_choose_the_row_that_jumps():
    rows = [bar(), bar(minute=1, price=30.0), bar(minute=1, price=1.1), bar(minute=2, price=31.0)]
    refused = validated(*rows).quarantined.filter(close_usd=30.0)

    result = validated(*rows, released=refused["quarantine_id"].to_list())

    assert result.accepted["close_usd"].to_list() == [1.0, 30.0, 31.0]
    assert result.quarantined["reason"].to_list() == ["revision_conflict"]


def test_refusing_the_same_row_again_gives_the_same_id():
    ids = [validated(bar(volume=-1.0), bar(minute=minute)).quarantined["quarantine_id"][0] for minute in (1, 2)]

    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    "previous",
    [
        last_close(("T", 0.0)),
        last_close(("T", 1.0), ("T", 1.0)),
        pl.DataFrame([bar()]).select((*BAR_KEY, "close_usd")),
    ],
    ids=["not positive", "twice", "not earlier"],
)
def test_a_previous_close_that_cannot_be_right_raises(previous):
    with pytest.raises(ValueError, match="previous_close must"):
        validated(bar(), previous=previous)


def test_no_rows_give_no_rows():
    result = validated()

    assert (result.accepted.height, result.quarantined.height, result.last_close.height) == (0, 0, 0)


def messy_rows(seed: int, minutes: int = 40) -> pl.DataFrame:
    """Bars of four tokens with every fault the rules know, drawn at random."""
    rng = np.random.default_rng(seed)
    factors = [1.0] * 12 + [1.1, 0.9, 8.0, 30.0, 89_000.0, 1 / 40]
    changes = [{}] * 12 + [{"volume": -1.0}, {"close_usd": None}, {"high_usd": 1e-9}, {"volume": float("nan")}]
    rows = []
    for minute in np.repeat(np.arange(minutes), 4):
        chain_factor = 89_000.0 if 15 <= minute < 20 else 1.0
        token, change = "ABCD"[rng.integers(4)], changes[rng.integers(len(changes))]
        price = chain_factor * factors[rng.integers(len(factors))]
        rows.append(bar(token, int(minute), price, **({"volume": float(rng.integers(3))} | change)))
    return pl.DataFrame(rows, schema=RAW_SCHEMA)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.integers(0, 10_000))
def test_the_order_of_the_rows_does_not_matter(seed, order):
    rows = messy_rows(seed)
    shuffled = rows[np.random.default_rng(order).permutation(rows.height)]

    one, two = (
        validate_bars(frame, NO_CLOSE, as_of=T0 + timedelta(minutes=38, seconds=30), config=BarConfig())
        for frame in (rows, shuffled)
    )

    assert one.accepted.equals(two.accepted)
    assert one.quarantined.equals(two.quarantined)
    assert (one.duplicates, one.forming) == (two.duplicates, two.forming)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_row_received_is_accounted_for_and_what_passes_is_sorted_and_unique(seed):
    rows = messy_rows(seed)

    result = validate_bars(rows, NO_CLOSE, as_of=T0 + timedelta(minutes=30), config=BarConfig())

    accepted = result.accepted
    assert accepted.height + result.quarantined.height + result.duplicates + result.forming == rows.height
    assert accepted.select(BAR_KEY).equals(accepted.select(BAR_KEY).unique().sort(BAR_KEY))
    assert set(result.quarantined["reason"]) <= set(QuarantineReason)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 40))
def test_two_windows_one_after_the_other_give_what_one_window_gives(seed, cut):
    rows, as_of, config = messy_rows(seed), T0 + timedelta(days=1), BarConfig()
    is_early = rows["timestamp"] < T0 + timedelta(minutes=cut)

    whole = validate_bars(rows, NO_CLOSE, as_of=as_of, config=config)
    early = validate_bars(rows.filter(is_early), NO_CLOSE, as_of=as_of, config=config)
    late = validate_bars(rows.filter(~is_early), early.last_close, as_of=as_of, config=config)

    assert pl.concat([early.accepted, late.accepted]).sort(BAR_KEY).equals(whole.accepted)
    assert late.last_close.equals(whole.last_close)
