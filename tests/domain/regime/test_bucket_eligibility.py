"""A group is scored when enough members trade enough; why not is said."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.bucket_eligibility import GroupMembers, group_members
from domain.regime.token_cap_bucket import TAG_SCHEMA

DAY = date(2025, 3, 29)
MIDNIGHT = datetime(2025, 3, 29, tzinfo=UTC)


def tags(**members: int) -> pl.DataFrame:
    """Tags of so many tokens a bucket, read at noon before DAY; chains alternate."""
    rows = [
        (f"{bucket}{i}", ("base", "solana")[i % 2], bucket, 1e6, None, MIDNIGHT - timedelta(hours=12), MIDNIGHT, None)
        for bucket, count in members.items()
        for i in range(count)
    ]
    return pl.DataFrame(rows, schema=TAG_SCHEMA, orient="row")


def metadata(held: pl.DataFrame, volume_usd: float | None = 100.0) -> pl.DataFrame:
    """Volumes of the day before DAY: 0, 1, 2, ... times `volume_usd`."""
    volume = None if volume_usd is None else pl.int_range(pl.len()) * volume_usd
    return held.select("token_contract", "chain", "updated_at").with_columns(
        day=pl.lit(DAY - timedelta(days=1)),
        volume_24h_usd=pl.lit(volume, dtype=pl.Float64) if volume is None else volume,
        liquidity_usd=pl.lit(5e4),
    )


def grouped(held: pl.DataFrame, rows: pl.DataFrame | None = None, **changed: object) -> GroupMembers:
    floor = changed.pop("floor", 0.0)
    config = CapBucketConfig(min_median_volume_24h_usd=floor)
    return group_members(held, metadata(held) if rows is None else rows, day=DAY, config=config, **changed)


def reasons(found: GroupMembers) -> dict[str, str | None]:
    return dict(found.eligibility.select("bucket", "reason").rows())


def test_eight_members_are_enough_and_seven_are_not():
    found = grouped(tags(nano=7, micro=8))

    assert reasons(found) == {
        "nano": "too_few_members",
        "micro": None,
        **dict.fromkeys(("mid", "big", "large", "xl"), "too_few_members"),
    }
    assert found.membership["bucket"].unique().to_list() == ["micro"]
    assert found.eligibility.filter(bucket="mid").select("member_count", "is_eligible").row(0) == (0, False)


def test_xl_is_made_but_never_eligible():
    found = grouped(tags(xl=9))

    assert reasons(found)["xl"] == "telemetry_only"
    assert not found.eligibility.filter(bucket="xl")["is_eligible"].item()
    assert found.membership.height == 9


@pytest.mark.parametrize(("floor", "reason"), [(400.0, None), (400.1, "median_volume_below_floor")])
def test_the_median_volume_counts_only_when_a_floor_is_set(floor, reason):
    found = grouped(tags(nano=9), floor=floor)

    assert found.eligibility.filter(bucket="nano")["median_volume_24h_usd"].item() == 400.0
    assert reasons(found)["nano"] == reason


def test_an_unknown_volume_does_not_pass_a_floor():
    held = tags(nano=9)

    assert reasons(grouped(held, metadata(held, None)))["nano"] is None
    assert reasons(grouped(held, metadata(held, None), floor=1.0))["nano"] == "median_volume_unknown"


def test_a_tag_that_expired_or_begins_later_has_no_member():
    held = tags(nano=8)
    old = held.with_columns(updated_at=pl.lit(MIDNIGHT - timedelta(hours=48)))
    later = held.with_columns(valid_from=pl.lit(MIDNIGHT + timedelta(days=1)))

    assert [grouped(rows, metadata(held)).membership.height for rows in (held, old, later)] == [8, 0, 0]


def test_the_day_itself_is_not_read():
    held = tags(nano=8)
    today = metadata(held, 1e9).with_columns(day=pl.lit(DAY))
    found = grouped(held, pl.concat([metadata(held), today]))

    assert found.eligibility.filter(bucket="nano")["median_volume_24h_usd"].item() == 350.0


def test_any_tag_can_group():
    found = grouped(tags(nano=8, micro=8), group="chain", expected=(), telemetry=())

    assert found.eligibility.select("chain", "member_count", "is_eligible").rows() == [
        ("base", 8, True),
        ("solana", 8, True),
    ]
    assert found.membership.columns == ["chain", "token_contract", "day", "liquidity_usd"]
