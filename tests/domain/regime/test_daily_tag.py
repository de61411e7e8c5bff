"""A row a token and day: many days at once are day by day, an old cap runs out, nothing knows the future."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.daily_tag import DAILY_TAG_SCHEMA, daily_tags

DAY = timedelta(days=1)
FIRST = datetime(2021, 3, 1, tzinfo=UTC)
CONFIG = CapBucketConfig()
NO_TAGS = pl.DataFrame(schema=DAILY_TAG_SCHEMA)


def readings(caps: dict[str, list[float | None]]) -> pl.DataFrame:
    """Caps of each token on days FIRST, FIRST + 1, ..., read at noon; None is no reading."""
    rows = [
        (token, "base", FIRST + number * DAY, cap, 1e6, 100.0 * number, float("nan"), FIRST + number * DAY + DAY / 2)
        for token, days in caps.items()
        for number, cap in enumerate(days)
        if cap is not None
    ]
    names = ("token_contract", "chain", "timestamp", "market_cap_usd", "circulating_supply", "volume_24h_usd")
    schema = {**{name: DAILY_TAG_SCHEMA[name] for name in names}, "liquidity_usd": pl.Float64}
    return pl.DataFrame(rows, schema={**schema, "updated_at": DAILY_TAG_SCHEMA["updated_at"]}, orient="row")


def midnights(count: int, first: int = 1) -> list[datetime]:
    return [FIRST + number * DAY for number in range(first, first + count)]


def tagged(caps: dict[str, list[float | None]], days: int) -> pl.DataFrame:
    return daily_tags(readings(caps), NO_TAGS, midnights=midnights(days), config=CONFIG).tags


def random_caps(seed: int, days: int = 30) -> dict[str, list[float | None]]:
    rng = np.random.default_rng(seed)
    paths = np.exp(np.cumsum(rng.normal(0, 0.2, (12, days)), axis=1)) * 10 ** rng.uniform(4, 9, (12, 1))
    return {f"t{i}": [None if rng.random() < 0.3 else float(cap) for cap in path] for i, path in enumerate(paths)}


def test_a_cap_tags_from_the_midnight_after_it():
    rows = tagged({"a": [2e6, 6e6]}, 2)

    assert rows.select("timestamp", "bucket", "bucket_since", "valid_to", "volume_24h_usd", "liquidity_usd").rows() == [
        (FIRST + DAY, "micro", FIRST + DAY, FIRST + 2 * DAY, 0.0, None),
        (FIRST + 2 * DAY, "mid", FIRST + 2 * DAY, FIRST + 3 * DAY, 100.0, None),
    ]


def test_a_silent_token_keeps_its_tag_until_48_hours_after_its_cap_was_read():
    rows = tagged({"a": [2e6], "b": [2e6, 2e6, 2e6, 2e6]}, 4).filter(token_contract="a")

    assert rows.select("timestamp", "valid_to").rows() == [
        (FIRST + DAY, FIRST + 2 * DAY),
        (FIRST + 2 * DAY, FIRST + 2.5 * DAY),
    ]


def test_a_stay_counts_from_its_first_day_and_a_pause_ends_it():
    rows = tagged({"a": [2e6, 2e6, None, None, None, 2e6]}, 6)

    assert rows.select("timestamp", "bucket_since").rows() == [
        (FIRST + DAY, FIRST + DAY),
        (FIRST + 2 * DAY, FIRST + DAY),
        (FIRST + 3 * DAY, FIRST + DAY),
        (FIRST + 6 * DAY, FIRST + 6 * DAY),
    ]


def test_an_edge_crossed_back_and_forth_moves_nobody():
    rows = tagged({"a": [4.9e6, 5.2e6, 4.8e6, 5.4e6, 5.6e6, 4.6e6, 4.4e6]}, 7)

    assert rows["bucket"].to_list() == ["micro"] * 4 + ["mid"] * 2 + ["micro"]


@pytest.mark.parametrize("seed", range(5))
def test_day_by_day_equals_all_at_once(seed):
    caps = readings(random_caps(seed))
    whole = daily_tags(caps, NO_TAGS, midnights=midnights(30), config=CONFIG)
    parts, before = [], NO_TAGS
    for midnight in midnights(30):
        step = daily_tags(caps, before, midnights=[midnight], config=CONFIG)
        parts.append(step)
        before = step.tags

    assert whole.tags["bucket"].n_unique() > 2
    assert_frame_equal(pl.concat([part.tags for part in parts]).sort("token_contract", "timestamp"), whole.tags)
    assert_frame_equal(pl.concat([part.unknown for part in parts]).sort("token_contract", "day"), whole.unknown)


@pytest.mark.parametrize("seed", range(3))
def test_later_caps_change_no_earlier_tag(seed):
    caps = readings(random_caps(seed))
    cut = FIRST + 12 * DAY
    garbage = caps.with_columns(
        pl.when(pl.col("timestamp") >= cut).then(1e12).otherwise("market_cap_usd").alias("market_cap_usd")
    )
    then, now = (
        daily_tags(rows, NO_TAGS, midnights=midnights(30), config=CONFIG).tags.filter(pl.col("timestamp") <= cut)
        for rows in (caps, garbage)
    )

    assert then.height > 0
    assert_frame_equal(then, now)


def test_a_gap_between_the_days_asked_for_is_refused():
    with pytest.raises(ValueError, match="one after the other"):
        daily_tags(readings({}), NO_TAGS, midnights=[FIRST, FIRST + 2 * DAY], config=CONFIG)
    with pytest.raises(ValueError, match="midnights in UTC"):
        daily_tags(readings({}), NO_TAGS, midnights=[FIRST + DAY / 2], config=CONFIG)
