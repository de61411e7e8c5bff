"""Tags of tokens: edges, hysteresis, expiry, and a history that is the same however it is made."""

import math
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.token_cap_bucket import TAG_SCHEMA, TaggedTokens, bucket_of, tag_of, tag_tokens, tags_at
from domain.vocabulary.cap_bucket import UPPER_EDGE_USD, CapBucket

CONFIG = CapBucketConfig()
FIRST = date(2025, 3, 28)
NO_TAGS = pl.DataFrame(schema=TAG_SCHEMA)
MOG = ("0xmog", "base")


def midnight(days: float) -> datetime:
    """The midnight that begins day FIRST + days."""
    return datetime.combine(FIRST, time(), UTC) + timedelta(days=days)


def read(cap: float | None, *, day: int = 0, token: str = MOG[0], age_hours: float = 12, supply: float = 1e9):
    """One reading of a day, `age_hours` before its end."""
    return {
        "token_contract": token,
        "chain": MOG[1],
        "day": FIRST + timedelta(days=day),
        "market_cap_usd": cap,
        "circulating_supply": supply,
        "updated_at": midnight(day + 1) - timedelta(hours=age_hours),
    }


def metadata(*rows: dict) -> pl.DataFrame:
    schema = {"day": pl.Date, "market_cap_usd": pl.Float64, "updated_at": pl.Datetime("us", "UTC")}
    return pl.DataFrame(list(rows), schema_overrides=schema)


def folded(rows: pl.DataFrame, days: int, tags: pl.DataFrame = NO_TAGS, *, first: int = 0) -> TaggedTokens:
    """Step over days first .. days - 1."""
    steps = TaggedTokens(tags, tags)
    for day in range(first, days):
        steps = tag_tokens(rows, steps.tags, day=FIRST + timedelta(days=day), config=CONFIG)
    return steps


def buckets(caps: list[float | None]) -> list[str | None]:
    """Bucket after each day of a token with these daily caps."""
    history = folded(metadata(*(read(cap, day=day) for day, cap in enumerate(caps))), len(caps)).tags
    return [tag_of(history, MOG, midnight(day + 1), config=CONFIG) for day in range(len(caps))]


@pytest.mark.parametrize("bucket", list(CapBucket)[:-1])
def test_an_edge_belongs_to_the_bucket_above(bucket):
    above = list(CapBucket)[list(CapBucket).index(bucket) + 1]
    edge = UPPER_EDGE_USD[bucket]

    assert bucket_of(np.nextafter(edge, 0)) is bucket
    assert bucket_of(edge) is above


@pytest.mark.parametrize("cap", [None, 0.0, -0.0, -1.0, math.nan, math.inf, -math.inf])
def test_what_is_no_cap_has_no_bucket(cap):
    assert bucket_of(cap) is None


@pytest.mark.parametrize(
    ("cap", "reason"),
    [
        (None, "missing"),
        (0.0, "zero"),
        (math.nan, "not_finite"),
        (math.inf, "not_finite"),
        (-5.0, "negative"),
        (9_999.0, "below_floor"),
    ],
)
def test_a_cap_that_cannot_be_used_is_named_with_its_reason(cap, reason):
    step = folded(metadata(read(cap), read(1e6, token="0xok")), 1)

    assert step.unknown.select("token_contract", "reason", "is_tagged").rows() == [(MOG[0], reason, False)]
    assert step.tags["token_contract"].to_list() == ["0xok"]


def test_a_supply_of_zero_and_an_old_reading_are_no_caps():
    step = folded(metadata(read(1e6, supply=0.0), read(1e6, token="0xold", age_hours=48)), 1)

    assert step.unknown["reason"].to_list() == ["zero", "stale"]
    assert step.tags.is_empty()


def test_a_cap_without_a_supply_is_a_cap():
    assert folded(metadata(read(1e6, supply=None)), 1).tags["bucket"].to_list() == ["micro"]


@pytest.mark.parametrize(
    ("caps", "expected"),
    [
        ([4.9e6, 5.4e6, 5.5e6, 4.6e6, 4.4e6], ["micro", "micro", "mid", "mid", "micro"]),
        ([5.0e6, 4.5e6, 4.49e6], ["mid", "mid", "micro"]),
        ([99_000, 109_999, 110_000], ["nano", "nano", "micro"]),
        ([0.99e9, 1.09e9, 1.1e9, 0.91e9, 0.89e9], ["large", "large", "xl", "xl", "large"]),
        ([50_000, 2e9, 11_000], ["nano", "xl", "nano"]),
        ([12_000, 9_500, 8_900, 9_500, 10_000], ["nano", "nano", None, None, "nano"]),
    ],
)
def test_a_cap_must_pass_its_edge_by_a_tenth_to_leave(caps, expected):
    assert buckets(caps) == expected


def test_flapping_around_an_edge_changes_the_bucket_once_at_most():
    seen = buckets([5e6 * factor for factor in (0.99, 1.01, 0.97, 1.05, 0.95, 1.09, 0.91)])

    assert len(set(seen)) == 1


def test_one_bad_reading_leaves_the_tag_until_it_is_two_days_old():
    caps = [1e6, None, math.nan, None]
    history = folded(metadata(*(read(cap, day=day) for day, cap in enumerate(caps))), 4)

    assert tag_of(history.tags, MOG, midnight(2.5) - timedelta(seconds=1), config=CONFIG) is CapBucket.MICRO
    assert tag_of(history.tags, MOG, midnight(2.5), config=CONFIG) is None
    assert history.tags["valid_to"].to_list() == [midnight(2.5)]


def test_a_token_gone_silent_is_reported_stale_with_its_last_bucket():
    rows = metadata(read(1e6), read(1e6, day=0, token="0xb", age_hours=0))
    third = folded(rows, 3)

    assert third.unknown.select("token_contract", "reason", "last_bucket", "is_tagged").rows() == [
        ("0xb", "stale", "micro", False),
        (MOG[0], "stale", "micro", False),
    ]


def test_a_token_back_from_silence_is_tagged_by_the_plain_edges():
    rows = metadata(read(4.9e6), read(5.2e6, day=5))
    history = folded(rows, 6).tags

    assert history["bucket"].to_list() == ["micro", "mid"]
    assert tag_of(history, MOG, midnight(4), config=CONFIG) is None


def test_a_daily_reading_of_midnight_keeps_its_hysteresis():
    rows = metadata(read(4.9e6, age_hours=24), read(5.2e6, day=1, age_hours=24))

    assert folded(rows, 2).tags["bucket"].to_list() == ["micro", "micro"]


def test_a_reading_served_again_is_no_news():
    first = read(1e6, age_hours=2)
    again = {**first, "day": FIRST + timedelta(days=1)}

    assert_frame_equal(folded(metadata(first, again), 2).tags, folded(metadata(first), 1).tags)


def test_a_tag_holds_from_the_midnight_after_its_cap():
    history = folded(metadata(read(1e6)), 1).tags

    assert tag_of(history, MOG, midnight(1) - timedelta(microseconds=1), config=CONFIG) is None
    assert tag_of(history, MOG, midnight(1), config=CONFIG) is CapBucket.MICRO


def test_of_several_readings_the_latest_usable_one_counts():
    rows = metadata(read(1e6, age_hours=9), read(9e6, age_hours=5), read(None, age_hours=1))

    assert folded(rows, 1).tags["bucket"].to_list() == ["mid"]
    assert folded(rows, 1).unknown.is_empty()


def test_a_reading_from_the_future_is_refused():
    with pytest.raises(ValueError, match="later than the day's end"):
        folded(metadata(read(1e6, age_hours=-1)), 1)


def random_days(seed: int, *, tokens: int = 12, days: int = 9) -> pl.DataFrame:
    """Caps that wander over all edges, with holes, bad values and repeated readings."""
    rng = np.random.default_rng(seed)
    rows = []
    for token in range(tokens):
        caps = 10 ** np.clip(rng.uniform(4, 9.3) + np.cumsum(rng.normal(0, 0.2, days)), 3.8, 9.6)
        for day in np.flatnonzero(rng.random(days) < 0.6):
            bad = rng.choice([None, 0.0, math.nan, -1.0])
            cap = bad if rng.random() < 0.15 else float(caps[day])
            rows.append(read(cap, day=int(day), token=f"0x{token}", age_hours=float(rng.choice([0, 6, 12, 30, 50]))))
    return metadata(*rows)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 8))
def test_a_day_run_again_comes_to_the_same_history(seed, again):
    rows = random_days(seed)
    whole = folded(rows, 9).tags
    repeated = folded(rows, 9, whole, first=again).tags

    assert_frame_equal(repeated, whole)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_later_days_never_change_an_earlier_answer_and_tags_never_overlap(seed):
    rows = random_days(seed)
    whole = folded(rows, 9).tags
    for day in range(1, 9):
        now = midnight(day) + timedelta(hours=13)
        then = tags_at(folded(rows, day).tags, now, config=CONFIG).drop("valid_to")
        assert_frame_equal(tags_at(whole, now, config=CONFIG).drop("valid_to"), then)
        assert not then.select("token_contract", "chain").is_duplicated().any()

    following = whole.with_columns(next_from=pl.col("valid_from").shift(-1).over("token_contract", "chain"))
    assert following.filter(pl.col("valid_to") > pl.col("next_from")).is_empty()
    assert following.filter(pl.col("valid_to") <= pl.col("valid_from")).is_empty()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_current_rows_alone_carry_the_state(seed):
    rows = random_days(seed)
    whole = folded(rows, 6)
    lean = NO_TAGS
    for day in range(6):
        lean = tag_tokens(
            rows, lean.filter(pl.col("valid_to").is_null()), day=FIRST + timedelta(days=day), config=CONFIG
        )
        unknown, lean = lean.unknown, lean.tags

    assert_frame_equal(lean.filter(pl.col("valid_to").is_null()), whole.tags.filter(pl.col("valid_to").is_null()))
    assert_frame_equal(unknown, whole.unknown)


@pytest.mark.real_data
def test_real_caps_are_tagged_or_named_every_day(shared_data):
    coins = pl.read_parquet(shared_data / "coingecko_daily_2021" / "coins_daily.parquet").filter(
        pl.col("date") < date(2021, 1, 15)
    )
    rows = coins.select(
        token_contract="coin_id",
        chain=pl.lit("coingecko"),
        day="date",
        market_cap_usd=pl.col("market_cap").cast(pl.Float64),
        circulating_supply=pl.lit(None, dtype=pl.Float64),
        updated_at=pl.col("date").cast(pl.Datetime("us", "UTC")),
    )
    tags = NO_TAGS
    for day in range(14):
        step = tag_tokens(rows, tags, day=date(2021, 1, 1) + timedelta(days=day), config=CONFIG)
        tags, today = step.tags, rows.filter(day=date(2021, 1, 1) + timedelta(days=day))
        fresh = tags.filter(pl.col("valid_to").is_null() & (pl.col("updated_at") == today["updated_at"][0]))
        bad = step.unknown.join(today, on=["token_contract"], how="semi")
        assert fresh.height + bad.height == today.height
    plain = tags.filter(pl.col("valid_to").is_null())
    moved = [bucket_of(cap) != bucket for cap, bucket in plain.select("market_cap_usd", "bucket").rows()]
    assert 0 < sum(moved) < 0.1 * plain.height
