"""No row that was complete at T changes when what came after T is known: every series function of the domain."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import polars as pl
import pytest

from domain.config.bar import BarConfig
from domain.config.driver_bar import DriverBarConfig
from domain.config.indicator import IndicatorConfig
from domain.config.scores import ScoresConfig
from domain.config.uptrend import UptrendConfig
from domain.regime.ae_channel import ae_score_frame
from domain.regime.bar import validate_bars
from domain.regime.bar_jump import LAST_CLOSE_SCHEMA
from domain.regime.bar_load import load_bars
from domain.regime.bar_quarantine import RAW_SCHEMA, SERIES_KEY
from domain.regime.driver_bar import DRIVER_BAR_SCHEMA, dominance_bars, index_bars
from domain.regime.driver_set import alt_membership, driver_set_bars
from domain.regime.indicator import indicator_frame
from domain.regime.rollup import roll_up
from domain.regime.uptrend_engine import uptrend_frame
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window
from tests.faulty_feed import END, START, UTC_US, break_some, dominance_samples, driver_states, raw_bars
from tests.faulty_group import log_streams, tag_readings
from tests.group_series import composite_rows, group_rows, hourly_references, membership, phases
from tests.look_ahead import Inputs, SeriesFunction, look_ahead, scaled, shuffled

SEED = 11
DRIVER_KEY = ("driver", "book_id", "timeframe")
NO_CLOSES = pl.DataFrame(schema=LAST_CLOSE_SCHEMA)
NO_LEVELS = pl.DataFrame(schema=DRIVER_BAR_SCHEMA)
INSTANTS = {
    "mid-day, mid-minute": START + timedelta(hours=13, minutes=37, seconds=25),
    "on the hour": START + timedelta(hours=17),
    "at midnight": START + timedelta(hours=24),
    "just after midnight": START + timedelta(hours=24, minutes=1, seconds=30),
}


def accepted_rows(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    return validate_bars(inputs["raw"], NO_CLOSES, as_of=as_of, config=BarConfig()).accepted


def refused_rows(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    return validate_bars(inputs["raw"], NO_CLOSES, as_of=as_of, config=BarConfig()).quarantined


def rolled_bars(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    return roll_up(inputs["bars"], key=SERIES_KEY[:2], as_of=as_of)


def loaded_bars(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    """A load over what a load at six in the morning left; since when a row is known is the later load's to say."""
    window, empty = Window(START, END), roll_up(pl.DataFrame(schema=RAW_SCHEMA), key=SERIES_KEY[:2], as_of=END)
    stored = empty.with_columns(known_at=pl.lit(None, UTC_US))
    for at in (START + timedelta(hours=6), as_of):
        stored = load_bars(inputs["raw"], stored, NO_CLOSES, window=window, as_of=at, config=BarConfig()).rows
    return stored.drop("known_at")


def composite_bars(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    del as_of  # the caller gives closed bars only
    config = DriverBarConfig()
    basket = alt_membership(config)
    today_only = basket.with_columns(driver=pl.lit("micro"), day=pl.lit(START.date()))
    arguments = {"member": ("symbol",), "start": START + timedelta(hours=1), "end": END}
    config = config.model_copy(update={"bucket_min_members": 2})
    return index_bars(inputs["majors"], pl.concat([basket, today_only]), NO_LEVELS, **arguments, config=config).bars


def sampled_dominance(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    return dominance_bars(inputs["samples"], start=START, end=END, as_of=as_of, config=DriverBarConfig()).bars


def all_drivers(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    window, config = Window(START, END), DriverBarConfig().model_copy(update={"bucket_min_members": 2})
    given = {name: inputs[name] for name in ("majors", "lowcaps", "samples")}
    given |= {"members": membership(inputs["tags"]), "last_levels": NO_LEVELS}
    return driver_set_bars(**given, window=window, as_of=as_of, config=config).bars


def indicators(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    del as_of
    return indicator_frame(inputs["bars"], None, key=DRIVER_KEY, config=IndicatorConfig())


def uptrends(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    del as_of
    return uptrend_frame(inputs["rows"], None, key=DRIVER_KEY, config=UptrendConfig())


def scores(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    del as_of
    config, states = ScoresConfig(), inputs["states"]
    return ae_score_frame(states, inputs["evaluations"], book_id=DEFAULT_BOOK_ID, config=config)


@cache
def functions() -> dict[str, SeriesFunction]:
    """Every series function over the seeded feed; the inputs of each are what the ones before it made in the end."""
    raw, samples = raw_bars(SEED), dominance_samples(SEED)
    accepted = accepted_rows({"raw": raw}, END)
    tokens, tags = rolled_bars({"bars": accepted}, END), tag_readings(SEED)
    majors = tokens.filter(chain="majors").rename({"token_contract": "symbol"})
    feed = {"majors": majors, "lowcaps": tokens.filter(chain="sol"), "samples": samples, "tags": tags}
    drivers = all_drivers(feed, END)
    rows = drivers.join(indicators({"bars": drivers}, END), on=[*DRIVER_KEY, "timestamp"])
    evaluations = drivers.filter(pl.col("timeframe").is_in(["1m", "15m", "1h", "4h"])).select("timeframe", "timestamp")
    references = hourly_references({"drivers": drivers}, END)
    groups = {"bars": tokens, "tags": tags, "references": references}
    returns = group_rows(groups, END).drop_nulls("r_bucket")
    hours = evaluations.filter(timeframe="1h").unique()
    composite = {"returns": returns, "references": references, "evaluations": hours}
    table = {
        "validate_bars": (accepted_rows, {"raw": raw}, True, break_all),
        "validate_bars, refused": (refused_rows, {"raw": raw}, False, break_all),
        "roll_up": (rolled_bars, {"bars": accepted}, True, scaled),
        "load_bars": (loaded_bars, {"raw": raw}, True, break_all),
        "index_bars": (composite_bars, {"majors": majors}, False, scaled),
        "dominance_bars": (sampled_dominance, {"samples": samples}, True, scaled),
        "driver_set_bars": (all_drivers, feed, True, scaled),
        "indicator_frame": (indicators, {"bars": drivers}, False, scaled),
        "uptrend_frame": (uptrends, {"rows": rows}, False, scaled),
        "ae_score_frame": (scores, {"states": driver_states(SEED), "evaluations": evaluations}, False, shuffled),
        "reference_returns": (hourly_references, {"drivers": drivers}, False, scaled),
        "bucket_returns": (group_rows, groups, False, scaled),
        "composite_returns": (composite_rows, composite, False, scaled_within_coverage),
        "phase_frame": (phases, {"streams": log_streams(SEED)}, False, scaled_within_coverage),
    }
    return {
        name: SeriesFunction(make, inputs, END, stops, garble) for name, (make, inputs, stops, garble) in table.items()
    }


NAMES = (
    *("validate_bars", "validate_bars, refused", "roll_up", "load_bars"),
    *("index_bars", "dominance_bars", "driver_set_bars"),
    *("indicator_frame", "uptrend_frame", "ae_score_frame"),
    *("reference_returns", "bucket_returns", "composite_returns", "phase_frame"),
)


def break_all(raw: pl.DataFrame, seed: int) -> pl.DataFrame:
    return break_some(scaled(raw, seed), seed, fraction=0.2)


def scaled_within_coverage(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    return scaled(frame, seed).with_columns(pl.col("^coverage$").clip(0, 1))


@pytest.mark.parametrize("at", INSTANTS.values(), ids=INSTANTS.keys())
@pytest.mark.parametrize("name", NAMES)
def test_what_was_complete_by_an_instant_is_not_changed_by_what_came_later(name, at):
    assert look_ahead(functions()[name], at) == []


def test_the_feed_is_as_bad_as_it_claims():
    refused = validate_bars(raw_bars(SEED), NO_CLOSES, as_of=END, config=BarConfig())
    partial = functions()["driver_set_bars"].inputs["majors"].filter("partial")
    states = uptrends(functions()["uptrend_frame"].inputs, END)

    assert set(refused.quarantined["reason"]) >= {"missing_value", "ohlc_order", "price_jump", "unit_step"}
    assert refused.duplicates > 100
    assert set(partial["timeframe"]) == {"5m", "15m", "1h", "4h", "1d"}
    assert {"S0", "S1", "S2", "S3"} <= set(states["state"])


def test_the_groups_are_as_bad_as_they_claim():
    groups, phase_rows = functions()["bucket_returns"], phases(functions()["phase_frame"].inputs, END)
    rows = group_rows(groups.inputs, END)
    composite = composite_rows(functions()["composite_returns"].inputs, END)
    moved = groups.inputs["tags"].group_by("token_contract").agg(pl.col("bucket").n_unique())

    assert rows["r_bucket"].null_count() > 0
    assert min(rows[name].sum() for name in ("dropped_count", "clipped_count")) > 0
    assert (moved["bucket"] == 2).sum() > 2
    assert set(composite["group_count"]) == {None, 1, 2}
    assert phase_rows["horizon"].value_counts().filter(pl.col("count") > 40).height == 3
    assert phase_rows["confidence"].null_count() > 0
    assert phase_rows["phase"].n_unique() >= 6


def centred_mean(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    smooth = pl.col("latest_price").rolling_mean(5, center=True, min_samples=1).over(DRIVER_KEY)
    return indicators(inputs, as_of).with_columns(rsi=smooth)


def share_of_the_whole_mean(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    return indicators(inputs, as_of).with_columns(pl.col("atr") / pl.col("atr").mean().over(DRIVER_KEY))


def next_known_value(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    return indicators(inputs, as_of).with_columns(pl.col("adx").shift(-1).over(DRIVER_KEY))


def forming_bars(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    return rolled_bars(inputs, max(as_of, END))


def hour_seen_from_its_open(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    bars = rolled_bars(inputs, END)
    hours = bars.filter(timeframe="1h").select("token_contract", "chain", "timestamp", hour_close="close_usd")
    minutes = bars.filter(timeframe="1m").filter(pl.col("timestamp") + Timeframe.M1.duration <= as_of)
    hour = pl.col("timestamp").dt.truncate("1h")
    joined = minutes.with_columns(opened=hour).join(
        hours, left_on=["token_contract", "chain", "opened"], right_on=["token_contract", "chain", "timestamp"]
    )
    return joined.sort("token_contract", "timestamp")


def states_read_at_their_open(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    length = pl.col("timeframe").replace_strict({each.value: each.duration for each in Timeframe})
    early = inputs["states"].with_columns(pl.col("timestamp") - length)
    return scores({**inputs, "states": early}, as_of)


def tags_of_the_same_day(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    early = inputs["tags"].with_columns(pl.col("timestamp") - timedelta(days=1))
    either = pl.concat([early, inputs["tags"]])
    either = either.unique(["token_contract", "timestamp"], keep="first", maintain_order=True)
    return group_rows({**inputs, "tags": either}, as_of)


def survivors_only(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    bars = inputs["bars"]
    last = bars.group_by("token_contract").agg(pl.col("timestamp").max().alias("last"))
    alive = last.filter(pl.col("last") == pl.col("last").max())
    return group_rows({**inputs, "bars": bars.join(alive, on="token_contract", how="semi")}, as_of)


def reference_of_the_next_bar(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    early = inputs["references"].with_columns(pl.col("timestamp") - timedelta(hours=1))
    return group_rows({**inputs, "references": early}, as_of)


def silent_groups_at_their_mean(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    means = inputs["returns"].group_by("bucket").agg(pl.col("r_bucket").mean().alias("mean"))
    own = inputs["returns"].select("bucket", "timestamp", "r_bucket", "coverage")
    full = inputs["evaluations"].join(means, how="cross").join(own, on=["bucket", "timestamp"], how="left")
    filled = full.with_columns(pl.col("r_bucket").fill_null(pl.col("mean")), pl.col("coverage").fill_null(0.0))
    return composite_rows({**inputs, "returns": filled}, as_of)


def indices_smoothed_both_ways(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    smooth = pl.col("subject_log_index").rolling_mean(3, center=True, min_samples=1).over("subject")
    return phases({"streams": inputs["streams"].sort("subject", "timestamp").with_columns(smooth)}, as_of)


def index_of_the_next_hour(inputs: Inputs, as_of: datetime) -> pl.DataFrame:
    ordered = inputs["streams"].sort("subject", "timestamp")
    late = ordered.with_columns(pl.col("subject_log_index").shift(-1).over("subject"))
    return phases({"streams": late}, as_of)


LEAKS = {
    centred_mean: "indicator_frame",
    share_of_the_whole_mean: "indicator_frame",
    next_known_value: "indicator_frame",
    forming_bars: "roll_up",
    hour_seen_from_its_open: "roll_up",
    states_read_at_their_open: "ae_score_frame",
    tags_of_the_same_day: "bucket_returns",
    survivors_only: "bucket_returns",
    reference_of_the_next_bar: "bucket_returns",
    silent_groups_at_their_mean: "composite_returns",
    indices_smoothed_both_ways: "phase_frame",
    index_of_the_next_hour: "phase_frame",
}


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_planted_leak_is_caught_by_the_same_check(leak):
    function = functions()[LEAKS[leak]]

    complaints = look_ahead(replace(function, make=leak), INSTANTS["mid-day, mid-minute"])

    assert complaints != []
