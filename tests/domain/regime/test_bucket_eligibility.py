"""A group is scored when enough members trade enough; why not is said."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.bucket_eligibility import group_eligibility, made_members
from domain.regime.daily_tag import DAILY_TAG_SCHEMA

MIDNIGHT = datetime(2025, 3, 29, tzinfo=UTC)
"""The day before a change of the clocks in Europe, which UTC does not know."""


def tags(*, at: datetime = MIDNIGHT, volume_usd: float | None = 100.0, **members: int) -> pl.DataFrame:
    """Tags of so many tokens a bucket; chains alternate, volumes are 0, 1, 2, ... times `volume_usd`."""
    rows = [
        {"token_contract": f"{bucket}{i}", "chain": ("base", "solana")[i % 2], "timestamp": at, "bucket": bucket}
        for bucket, count in members.items()
        for i in range(count)
    ]
    bare = pl.DataFrame(rows, schema_overrides={"timestamp": pl.Datetime("us", "UTC")})
    volume = pl.lit(None, dtype=pl.Float64) if volume_usd is None else pl.int_range(pl.len()) * volume_usd
    absent = {name: pl.lit(None, dtype=kind) for name, kind in DAILY_TAG_SCHEMA.items() if name not in bare.columns}
    return bare.with_columns(**(absent | {"volume_24h_usd": volume, "liquidity_usd": pl.lit(5e4)}))


def judged(held: pl.DataFrame, *, midnights: tuple[datetime, ...] = (MIDNIGHT,), floor: float = 0.0, **changed: object):
    config = CapBucketConfig(min_median_volume_24h_usd=floor)
    return group_eligibility(held, midnights=midnights, config=config, **changed)


def reasons(rows: pl.DataFrame) -> dict[str, str | None]:
    return dict(rows.select("bucket", "reason").rows())


def test_eight_members_are_enough_and_seven_are_not():
    held = tags(nano=7, micro=8)
    found = judged(held)

    too_few = dict.fromkeys(("nano", "mid", "big", "large", "xl"), "too_few_members")
    assert reasons(found) == {"micro": None, **too_few}
    assert made_members(held, found)["bucket"].unique().to_list() == ["micro"]
    assert found.filter(bucket="mid").select("member_count", "is_eligible").row(0) == (0, False)


def test_xl_is_made_but_never_eligible():
    held = tags(xl=9)
    found = judged(held)

    assert reasons(found)["xl"] == "telemetry_only"
    assert not found.filter(bucket="xl")["is_eligible"].item()
    assert made_members(held, found).height == 9


@pytest.mark.parametrize(("floor", "reason"), [(400.0, None), (400.1, "median_volume_below_floor")])
def test_the_median_volume_counts_only_when_a_floor_is_set(floor, reason):
    found = judged(tags(nano=9), floor=floor)

    assert found.filter(bucket="nano")["median_volume_24h_usd"].item() == 400.0
    assert reasons(found)["nano"] == reason


@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_an_unknown_volume_does_not_pass_a_floor(unknown):
    held = tags(nano=9, volume_usd=unknown)

    assert reasons(judged(held))["nano"] is None
    assert reasons(judged(held, floor=1.0))["nano"] == "median_volume_unknown"


def test_each_day_is_judged_by_its_own_tags():
    days = tuple(MIDNIGHT + timedelta(days=number) for number in range(3))
    held = pl.concat([tags(nano=8), tags(at=days[2], nano=7)])
    found = judged(held, midnights=days).filter(bucket="nano")

    assert found.select("timestamp", "member_count", "reason").rows() == [
        (days[0], 8, None),
        (days[1], 0, "too_few_members"),
        (days[2], 7, "too_few_members"),
    ]
    assert made_members(held, found)["day"].unique().to_list() == [date(2025, 3, 29)]


def test_a_day_not_asked_for_is_not_judged():
    later = MIDNIGHT + timedelta(days=1)

    assert judged(tags(at=later, nano=8))["member_count"].sum() == 0


def test_any_tag_can_group():
    held = tags(nano=8, micro=8)
    found = judged(held, group="chain", expected=(), telemetry=())

    assert found.select("chain", "member_count", "is_eligible").rows() == [("base", 8, True), ("solana", 8, True)]
    assert made_members(held, found, group="chain").columns == ["chain", "token_contract", "day", "liquidity_usd"]
