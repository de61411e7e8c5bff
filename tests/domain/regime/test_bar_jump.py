from datetime import UTC, datetime, timedelta
from itertools import permutations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.config.bar import BarConfig
from domain.regime.bar import ValidatedBars, validate_bars
from domain.regime.bar_jump import LAST_CLOSE_SCHEMA, PLACE, judge_in_time, with_step_under_way
from domain.regime.bar_quarantine import RAW_SCHEMA

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


@pytest.mark.parametrize("price", [67743.0, 21.0, 1 / 21])
def test_a_spike_is_refused_and_the_next_good_bar_is_not(price):
    result = validated(bar(minute=0), bar(minute=1, price=price), bar(minute=2, price=1.1))

    assert result.quarantined["reason"].to_list() == ["price_jump"]
    assert result.accepted["close_usd"].to_list() == [1.0, 1.1]


def test_a_jump_says_its_ratio_and_what_it_was_compared_with():
    result = validated(bar(price=67743.0 * 1.2e-05), previous=last_close(("T", 1.2e-05)))

    assert "ratio 67743.0 to previous close 0.000012 at 2025-10-29T23:59Z" in result.quarantined["detail"][0]


def test_a_move_of_less_than_the_limit_is_accepted():
    result = validated(bar(minute=0), bar(minute=1, price=14.0))

    assert result.accepted.height == 2


def test_a_wick_beyond_the_limit_is_a_jump_even_when_the_close_is_not():
    assert validated(bar(high_usd=25.0), previous=last_close(("T", 1.0))).quarantined["reason"][0] == "price_jump"


def test_a_first_bar_is_judged_by_its_own_open():
    result = validated(bar(minute=0, close_usd=129.0, high_usd=129.0), bar(minute=1))

    assert result.quarantined["reason"].to_list() == ["price_jump"]
    assert result.accepted["timestamp"].to_list() == [T0 + timedelta(minutes=1)]


def stepped(tokens, minutes, factor):
    return [bar(token, minute, price=factor) for token in tokens for minute in minutes]


def test_a_chain_that_steps_together_stays_refused_until_it_returns():
    tokens = ("A", "B", "C")
    rows = (
        stepped(tokens, range(5), 1.0) + stepped(tokens, range(5, 79), 89_000.0) + stepped(tokens, range(79, 82), 1.1)
    )

    result = validated(*rows)

    assert result.quarantined["reason"].unique().to_list() == ["unit_step"]
    assert result.quarantined.height == 3 * 74
    assert result.accepted["close_usd"].max() == 1.1


@pytest.mark.parametrize(
    ("stepping", "calm", "factor", "reason"),
    [
        (3, 0, 8.0, "unit_step"),
        (3, 3, 8.0, "unit_step"),
        (3, 3, 1 / 8.0, "unit_step"),
        (3, 4, 8.0, None),
        (2, 0, 8.0, None),
        (3, 0, 4.9, None),
        (2, 0, 21.0, "price_jump"),
    ],
)
def test_a_unit_step_needs_enough_tokens_and_half_of_the_chain(stepping, calm, factor, reason):
    tokens = [f"S{i}" for i in range(stepping)]
    others = [f"C{i}" for i in range(calm)]
    previous = last_close(*((token, 1.0) for token in tokens + others))

    result = validated(*stepped(tokens, [0], factor), *stepped(others, [0], 1.0), previous=previous)

    assert result.quarantined["reason"].to_list() == [reason] * (stepping if reason else 0)


def test_ratios_that_disagree_are_a_market_and_not_a_unit():
    previous = last_close(("A", 1.0), ("B", 1.0), ("C", 1.0))

    result = validated(bar("A", price=6.0), bar("B", price=10.0), bar("C", price=16.0), previous=previous)

    assert result.quarantined.is_empty()


def test_a_small_step_is_held_when_the_chain_thins_out():
    previous = last_close(("A", 1.0), ("B", 1.0), ("C", 1.0))

    result = validated(*stepped("ABC", [0], 8.0), bar("A", 1, price=9.0), bar("A", 2, price=2.0), previous=previous)

    assert result.quarantined["reason"].to_list() == ["unit_step"] * 4
    assert result.accepted["close_usd"].to_list() == [2.0]


def test_a_step_that_fades_is_refused_until_it_is_gone():
    previous = last_close(("A", 1.0), ("B", 1.0), ("C", 1.0))
    fading = [bar("A", minute, price=price) for minute, price in enumerate((1000.0, 100.0, 19.0, 5.1, 4.9), start=1)]

    result = validated(*stepped("ABC", [0], 89_000.0), *fading, previous=previous)

    assert result.accepted["close_usd"].to_list() == [4.9]


def test_a_newcomer_is_refused_while_its_chain_steps():
    previous = last_close(("A", 1.0), ("B", 1.0), ("C", 1.0))

    result = validated(*stepped("ABCN", [0], 89_000.0), bar("N", 1, price=2.0), previous=previous)

    assert result.accepted["close_usd"].to_list() == [2.0]


def test_a_released_jump_is_accepted_and_later_bars_are_judged_by_it():
    rows = [bar(minute=0), bar(minute=1, price=30.0), bar(minute=2, price=31.0)]
    first = validated(*rows).quarantined.sort("timestamp")["quarantine_id"][0]

    result = validated(*rows, released=[first])

    assert result.accepted["close_usd"].to_list() == [1.0, 30.0, 31.0]


@pytest.mark.parametrize("is_up", [True, False])
def test_a_lone_jump_that_fades_is_refused_until_it_is_back(is_up):
    fading = [price if is_up else 1 / price for price in (25.0, 19.0, 9.0, 5.1, 4.9)]

    result = validated(bar(minute=0), *(bar(minute=1 + i, price=price) for i, price in enumerate(fading)))

    assert result.quarantined["reason"].to_list() == ["price_jump"] * 4
    assert result.accepted["close_usd"].to_list() == [1.0, fading[-1]]


def test_a_jump_that_swings_to_the_other_side_is_not_back():
    result = validated(bar(minute=0), *(bar(minute=1 + i, price=price) for i, price in enumerate((25.0, 1 / 6, 1.2))))

    assert result.accepted["close_usd"].to_list() == [1.0, 1.2]


def test_a_series_is_not_held_by_a_wick_alone():
    result = validated(bar(minute=0), bar(minute=1, high_usd=25.0), bar(minute=2, price=6.0))

    assert result.quarantined["timestamp"].to_list() == [T0 + timedelta(minutes=1)]
    assert result.accepted["close_usd"].to_list() == [1.0, 6.0]


def test_a_series_is_back_within_the_smaller_of_the_two_limits():
    rows = [bar(minute=0), bar(minute=1, price=25.0), bar(minute=2, price=8.4), bar(minute=3, price=8.3)]

    assert validated(*rows, unit_step_min_ratio=50.0).accepted["close_usd"].to_list() == [1.0, 8.3]


def rivals(*rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What becomes of rows, preferred first in each bar, beside a series T that closed at 1.0."""
    placed = pl.DataFrame(list(rows), schema=RAW_SCHEMA).with_columns(
        pl.int_range(pl.len()).over("token_contract", "timestamp").alias(PLACE)
    )
    shuffled = placed.sample(fraction=1.0, shuffle=True, seed=3)
    previous = last_close(*((token, 1.0) for token in "TABC"))
    accepted, refused, _ = judge_in_time(shuffled, previous, list(RAW_SCHEMA), BarConfig(), ())
    return accepted, refused.sort("close_usd")


@pytest.mark.parametrize("prices", list(permutations((30.0, 1.1, 1 / 30))))
def test_of_rows_of_one_bar_the_one_that_is_no_jump_wins(prices):
    accepted, refused = rivals(*(bar(price=price) for price in prices))

    assert accepted["close_usd"].to_list() == [1.1]
    was_tried = [prices.index(price) < prices.index(1.1) for price in (1 / 30, 30.0)]
    reasons = ["price_jump" if tried else "revision_conflict" for tried in was_tried]
    assert refused.select("close_usd", "reason").rows() == list(zip([1 / 30, 30.0], reasons, strict=True))


def test_of_rows_of_one_bar_that_are_no_jump_the_preferred_wins():
    accepted, refused = rivals(bar(price=1.3), bar(price=1.1), bar(price=1.3, source="other"))

    assert accepted["close_usd"].to_list() == [1.3]
    assert refused.select("close_usd", "reason").rows() == [(1.1, "revision_conflict")]
    assert refused["detail"][0].startswith("1.1 1.1 1.1 1.1 10.0 of venue gave way to 1.3 ")


def test_when_all_rows_of_a_bar_jump_the_preferred_stands_for_it():
    accepted, refused = rivals(bar(price=40.0), bar(price=30.0), bar(minute=1, price=19.0))

    assert accepted.is_empty()
    assert refused["reason"].to_list() == ["price_jump", "revision_conflict", "price_jump"]


def test_rows_that_step_with_their_chain_give_way_to_those_that_do_not():
    accepted, refused = rivals(*stepped("ABC", [0], 8.0), *stepped("ABC", [0], 1.1))

    assert accepted["close_usd"].to_list() == [1.1] * 3
    assert refused.select("close_usd", "reason").rows() == [(8.0, "unit_step")] * 3


def test_a_step_is_counted_among_the_rows_that_are_left():
    """A later load has those alone to judge by, and must come to the same."""
    rows = [*stepped("ABC", [0], 8.0), *stepped("AB", [0], 1.1)]

    accepted, refused = rivals(*rows)
    again, _ = rivals(*accepted.select(RAW_SCHEMA.keys()).iter_rows(named=True))

    assert accepted["close_usd"].to_list() == [1.1, 1.1, 8.0]
    assert_frame_equal(again, accepted)
    assert refused["reason"].to_list() == ["unit_step"] * 2


def test_a_row_that_would_step_with_its_chain_is_no_way_out():
    accepted, refused = rivals(*stepped("ABC", [0], 8.0), bar("T", price=90.0), bar("T", price=8.1))

    assert accepted.is_empty()
    assert refused.filter(token_contract="T")["reason"].to_list() == ["revision_conflict", "price_jump"]


def wandering(seed: int, minutes: int = 60) -> pl.DataFrame:
    """Four tokens that jump alone, step together, spike in a wick and fade."""
    rng = np.random.default_rng(seed)
    rows = []
    for token in "ABCD":
        level = 1.0
        for minute in range(minutes):
            level = float(rng.choice([1.0, 8.0, 25.0, 1 / 40])) if rng.random() < 0.2 else level ** rng.uniform(0.7, 1)
            price = level * (6.0 if 20 <= minute < 30 else 1.0) * float(np.exp(rng.normal(0, 0.2)))
            rows.append(bar(token, minute, price, high_usd=price * (25.0 if rng.random() < 0.05 else 1.0)))
    return pl.DataFrame(rows, schema=RAW_SCHEMA)


@pytest.mark.parametrize("seed", range(20))
def test_what_a_series_is_held_on_can_be_read_from_what_was_refused(seed):
    rows, config = wandering(seed), BarConfig()
    cut = rows.filter(pl.col("timestamp") < T0 + timedelta(minutes=5 + 2 * seed))

    result = validate_bars(cut, NO_CLOSE, as_of=T0 + timedelta(days=1), config=config)

    plain = result.last_close.drop("step_ratio", "is_lone_step")
    jumps = result.quarantined.filter(pl.col("reason").is_in(["unit_step", "price_jump"]))
    found = with_step_under_way(plain, jumps.sample(fraction=1.0, shuffle=True, seed=seed), config)
    assert_frame_equal(found, result.last_close, check_row_order=False)


def test_the_feed_is_held_on_steps_and_on_lone_jumps():
    held = [
        validate_bars(wandering(seed, 5 + 2 * seed), NO_CLOSE, as_of=T0 + timedelta(days=1), config=BarConfig())
        for seed in range(20)
    ]

    assert set(pl.concat([each.last_close for each in held])["is_lone_step"]) == {None, True, False}


@pytest.mark.real_data
@pytest.mark.parametrize(("min_tokens", "reason"), [(2, "unit_step"), (3, "price_jump")])
def test_the_recorded_step_of_a_whole_chain_never_passes(shared_data, min_tokens, reason):
    closes = pl.read_parquet(shared_data / "ancestor_system" / "token_close_1h.parquet")
    price = [pl.col("close").alias(name) for name in ("open_usd", "high_usd", "low_usd", "close_usd")]
    bars = closes.filter(pl.col("chain") == "bsc").select(
        pl.col("contract").alias("token_contract"), "chain", pl.lit("1h").alias("timeframe"),
        pl.col("ts").alias("timestamp"), *price, pl.lit(0.0).alias("volume"), pl.lit("recorded").alias("source"),
    )  # fmt: skip

    config = BarConfig(unit_step_min_tokens=min_tokens)
    result = validate_bars(bars, NO_CLOSE, as_of=datetime(2026, 1, 1, tzinfo=UTC), config=config)

    started_at = datetime(2025, 10, 30, 1, tzinfo=UTC)
    assert result.accepted["timestamp"].max() == started_at - timedelta(hours=1)
    assert result.accepted["close_usd"].max() < 3.0
    assert reason in result.quarantined["reason"]
