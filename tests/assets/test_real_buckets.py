"""Buckets on real coins: daily caps of 2021, and hourly alts of 2025 whose caps are a supply times the last close."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from domain.vocabulary.phase import Phase
from resources.market import Market
from tests.chain_runs import days_before, run_chain, stored
from tests.postgres_fixtures import throw_away_database

pytestmark = [pytest.mark.postgres, pytest.mark.real_data]


def chain(shared_data, last: date, days: int) -> dict[str, pl.DataFrame]:
    """Rows of the bucket half after the chain made some real days in one run."""
    midnight = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    run_chain(days_before(last, days - 1), last, as_of=midnight, market=Market(folder=str(shared_data)))
    tables = ("token_metadata", "token_cap_bucket", "bucket_eligibility", "bucket_return_series", "phase_state_bucket")
    return {table: stored(f"regime.{table}") for table in (*tables, "regime_context", "regime_price_data_ohlc")}


@pytest.fixture(scope="module")
def may_2021(shared_data, postgres_server, database_template):
    with throw_away_database(postgres_server, database_template):
        return chain(shared_data, date(2021, 5, 20), 21)


def test_daily_caps_fill_every_bucket_but_nano(may_2021):
    judged = may_2021["bucket_eligibility"].filter(pl.col("timestamp") > datetime(2021, 5, 1, tzinfo=UTC))
    reasons = set(judged.select("bucket", "reason").rows())

    full = {("micro", None), ("mid", None), ("big", None), ("large", None), ("xl", "telemetry_only")}
    assert full <= reasons
    assert {reason for bucket, reason in reasons if bucket != "nano"} == {None, "telemetry_only"}
    assert judged.filter(bucket="mid")["member_count"].min() > 500


def test_a_cap_of_zero_is_unknown_and_tags_nobody(may_2021):
    metadata, tags = may_2021["token_metadata"], may_2021["token_cap_bucket"]
    never = metadata.group_by("token_contract").agg(ok=(pl.col("cap_status") == "ok").any()).filter(~pl.col("ok"))

    assert metadata.filter(cap_status="zero").height > 3000
    assert never.height > 100
    assert tags.join(never, on="token_contract", how="semi").is_empty()


def test_the_crash_of_may_2021_shows_in_every_bucket_and_no_member_carries_one_away(may_2021):
    """On 2021-05-19 the market fell by about a third; ten-fold moves of single coins that week move no bucket."""
    daily = may_2021["bucket_return_series"].filter(timeframe="1d")
    crash = daily.filter(
        pl.col("timestamp").is_between(datetime(2021, 5, 19, tzinfo=UTC), datetime(2021, 5, 20, tzinfo=UTC))
    )
    worst = crash.filter(pl.col("bucket") != "nano").group_by("bucket").agg(pl.col("r_bucket").min())

    assert daily["clipped_count"].sum() > 0
    assert worst["r_bucket"].max() < -0.1
    assert daily["r_bucket"].abs().max() < 0.7


@pytest.fixture(scope="module")
def june_2025(shared_data, postgres_server, database_template):
    with throw_away_database(postgres_server, database_template):
        return chain(shared_data, date(2025, 6, 30), 21)


def test_hourly_alts_have_returns_and_phases_in_every_hour_of_an_eligible_bucket(june_2025):
    start = datetime(2025, 6, 17, tzinfo=UTC)
    judged = june_2025["bucket_eligibility"].filter(pl.col("timestamp") >= start)
    eligible = judged.filter("is_eligible").group_by("bucket").len().filter(len=14)["bucket"].to_list()
    phases = june_2025["phase_state_bucket"].filter(pl.col("ts") >= start, pl.col("bucket").is_in(eligible))

    assert set(eligible) >= {"mid", "big"}
    assert phases.height == 14 * 24 * 3 * len(eligible)
    assert set(phases["phase"]) <= {phase.value for phase in Phase}
    assert phases["score"].is_finite().all()


def test_every_hour_has_a_context_and_its_rank_names_eligible_buckets_only(june_2025):
    contexts = june_2025["regime_context"].filter(pl.col("timestamp") >= datetime(2025, 6, 17, tzinfo=UTC))
    leaders = set(contexts["regime_label"].str.extract(r"bucket_leader=(.*)$"))

    assert contexts.height == 14 * 24
    assert leaders <= {"mid", "big", "large"}
    assert not contexts["regime_label"].str.contains("Unknown").any()


def test_a_bucket_driver_ranges_like_its_members(june_2025):
    """High and low of the index are means of its members' own: a range of per cents, not of prices from 1e-8 to 1e3."""
    bars = june_2025["regime_price_data_ohlc"].filter(timeframe="1h", driver="big")
    ranges = ((bars["high_usd"] - bars["low_usd"]) / bars["close_usd"]).to_list()

    assert bars["component_count"].min() >= 8
    assert min(ranges) > 0.001
    assert max(ranges) < 0.2
