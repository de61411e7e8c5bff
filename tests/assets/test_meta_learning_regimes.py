"""Weights of regimes: told every day, obeyed only where the configuration serves them, and drawn."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest

from learning_assets.learning_regime_weights import TABLE
from learning_assets.pm_overrides import SET, STEP_TABLE
from learning_assets.pm_overrides import TABLE as OVERRIDES_TABLE
from learning_assets.weight_picture import weight_picture
from resources.picture import LIMIT_BYTES
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.chain_runs import configure
from tests.inline_picture import SVG, parsed
from tests.learned_world import (
    DAY,
    FALLING,
    FEW,
    MIDNIGHT,
    RISING,
    differing,
    everything,
    forget_everything,
    run_learning,
    season,
    tell_trades,
)
from tests.stored_rows import insert_rows, stored_score

LAST = 7
OVERRIDES = (SET, STEP_TABLE, OVERRIDES_TABLE)
FOLLOW_FROM_SETS = {"sets", "learning.walk_forward", "learning.walk_forward_trade"}
COMPONENTS = ("time_efficiency", "field_coherence", "recurrence", "variance")


def config(**weights: Any) -> dict[str, Any]:
    told = deepcopy(FEW)
    told["learning"]["regime_weight"] |= weights
    told["learning"]["mining"] |= {"excluded_dimensions": list(RISING)}
    return told


@pytest.fixture(scope="module")
def plain(module_database) -> dict[str, Any]:
    """All that is learned of days of two regimes without serving their weights; the metadata of the run as well."""
    forget_everything()
    configure(config())
    hour = timedelta(hours=1)
    scores = [
        stored_score("nano", MIDNIGHT + (day + 1) * DAY - back * hour, **(states | {"usdtd_macro": None}))
        for day in range(LAST + 1)
        for back, states in ((1, RISING), (0, FALLING))  # what opens at midnight is not known then
    ]
    with connect(DatabaseRole.REGIME) as session:
        insert_rows(session, "regime.ae_score", scores)
    tell_trades(season(LAST + 1, edge=1.5, markets=(RISING, FALLING)))
    result = run_learning(0, LAST)
    told = result.asset_materializations_for_node("learning__learning_regime_weights")
    return learned() | {"metadata": told[0].metadata}


def learned() -> dict[str, Any]:
    """All that is learned, whatever the number of the configuration."""
    return {
        table: [{name: value for name, value in row.items() if name != "config_version"} for row in its]
        for table, its in everything().items()
    }


def served(tables: Sequence[str] = (), **weights: Any) -> dict[str, Any]:
    """The same with the weights served; of some tables, the others stay."""
    configure(config(is_served=True, **weights))
    run_learning(0, LAST, tables=tables)
    return learned()


def change_scores(statement: str) -> None:
    with connect(DatabaseRole.REGIME) as session:
        session.execute(statement.encode())


@pytest.mark.postgres
def test_weights_of_all_and_of_each_regime_are_told_every_day(plain):
    told = plain[TABLE]

    assert {row["timestamp"] for row in told} == {MIDNIGHT + day * DAY for day in range(LAST + 1)}
    last = [row for row in told if row["timestamp"] == MIDNIGHT + LAST * DAY and row["action_category"] == "entry"]
    assert {row["regime_signature"] for row in last} == {
        *("all", "btc_macro=up|alt_meso=up|bucket_meso=up", "btc_macro=down|alt_meso=flat|bucket_meso=down"),
    }
    assert not any(row["is_default"] for row in last)
    assert len({tuple(row[f"w_{name}"] for name in COMPONENTS) for row in last}) == 3
    assert all(row["is_default"] for row in told if row["timestamp"] == MIDNIGHT)


@pytest.mark.postgres
def test_served_they_change_overrides_and_nothing_that_was_learned(plain):
    now = served()

    assert set(differing(now, {name: plain[name] for name in now})) <= FOLLOW_FROM_SETS
    before = {(row["as_of"], row["lesson_id"]): row for row in plain["sets"] if row["lesson_id"]}
    after = {(row["as_of"], row["lesson_id"]): row for row in now["sets"] if row["lesson_id"]}
    assert after.keys() == before.keys()
    nano = [key for key, row in after.items() if row["scope_values"] == {"mcap_bucket": "nano"}]
    assert nano
    assert all(after[key]["multiplier"] != before[key]["multiplier"] for key in nano)
    assert all((after[key]["multiplier"] > 1) == (before[key]["multiplier"] > 1) for key in after)


@pytest.mark.postgres
def test_served_with_weights_of_one_the_overrides_are_the_plain_ones(plain):
    now = served(gain=0.0)

    assert {row[f"w_{name}"] for row in now[TABLE] for name in COMPONENTS} == {1.0}
    assert now["sets"] == plain["sets"]


@pytest.mark.postgres
def test_the_regime_of_a_day_is_that_of_the_last_bar_that_had_closed_or_if_not_known_that_of_all(plain):
    before = served(OVERRIDES)["sets"]
    change_scores("DELETE FROM regime.ae_score WHERE extract(hour FROM \"timestamp\" AT TIME ZONE 'UTC') = 0")
    closed = served(OVERRIDES)["sets"]
    change_scores("UPDATE regime.ae_score SET btc_macro = 'S0', alt_meso = 'S2', bucket_meso = 'S0'")
    falling = served(OVERRIDES)["sets"]
    change_scores("UPDATE regime.ae_score SET btc_macro = NULL")
    unknown = served(OVERRIDES)["sets"]
    change_scores("DELETE FROM regime.ae_score")
    absent = served(OVERRIDES)["sets"]

    assert closed == before
    assert unknown == absent
    multipliers = [tuple(row["multiplier"] for row in its) for its in (plain["sets"], before, falling, unknown)]
    assert len(set(multipliers)) == 4


@pytest.mark.postgres
def test_the_page_of_the_asset_has_a_picture_with_a_lane_for_each_component(plain):
    picture = plain["metadata"]["picture"].value
    root = parsed(picture)

    assert len(picture.encode()) <= LIMIT_BYTES
    assert len(list(root.iter(f"{SVG}polygon"))) == len(list(root.iter(f"{SVG}polyline"))) == len(COMPONENTS)
    (first, *_) = root.iter(f"{SVG}polyline")
    assert len(first.attrib["points"].split()) == LAST + 1


def weight(day: datetime, signature: str, value: float) -> dict[str, Any]:
    row = {"timestamp": day, "regime_signature": signature, "action_category": "entry"}
    return row | {f"w_{name}": value for name in COMPONENTS}


def test_a_backfill_of_years_draws_the_newest_ninety_days_and_stays_below_the_limit():
    rows = [
        weight(MIDNIGHT + day * DAY, signature, 0.3 + 1.4 * ((day * 37 + place * 11) % 101) / 100)
        for day in range(800)
        for place, signature in enumerate(("all", *(f"regime {number}" for number in range(27))))
    ]
    picture = weight_picture(rows)
    (first, *_) = parsed(picture).iter(f"{SVG}polyline")

    assert len(picture.encode()) <= LIMIT_BYTES
    assert len(first.attrib["points"].split()) == 90


def test_of_one_day_or_none_there_is_no_picture():
    assert weight_picture([]) == ""
    assert weight_picture([weight(MIDNIGHT, "all", 1.0)]) == ""
