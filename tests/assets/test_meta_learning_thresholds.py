"""From a gate that is set wrongly to the buy it kept out, and back: verdict, state, override, the runtime's check."""

import re
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from domain.config.pm_config import PmConfig
from domain.portfolio.buy_check import GateTuning, check_buy
from domain.portfolio.gate import Gate, blocking_gates
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.override_set import compile_overrides
from domain.portfolio.pm_strength import StrengthRequest, pm_strengths
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension
from learning_assets import tuning_state
from learning_assets.__main__ import main
from learning_assets.pm_overrides import SET, STEP_TABLE, TABLE
from pm_runtime.postgres_store import open_postgres_store
from tests.chain_runs import configure
from tests.domain.portfolio.token_bars import token_bar
from tests.learned_episodes import bought, left, left_each_day, tell_windows
from tests.learned_world import (
    BOUGHT,
    DAY,
    FEW,
    MIDNIGHT,
    as_owner,
    forget_everything,
    overrides_by_day,
    rows,
    run_learning,
    season,
    stored,
    tell_trades,
)

pytestmark = pytest.mark.postgres
STEPPED, LIVE, TURNED, LAST = 6, 8, 10, 12
"""Days as of whose end the threshold is loosened, its override is live, it begins to return, and is back."""
CONFIG: dict[str, Any] = deepcopy(FEW)
CONFIG["learning"]["tuning"] |= {"masks": [["mcap_bucket"]], "lookback_days": 6.0, "return_runs": 1}
CONFIG["learning"]["lesson"] |= {"retire_after": 50}
CONFIG["learning"]["override"] = {"guardrail": {"min_trades": 4}}
OVERRIDES = (SET, STEP_TABLE, TABLE)
TS = OverrideLever.TS_MIN_MULT.value


@pytest.fixture(scope="module")
def learned(module_database) -> None:
    """Days on which what trend strength just kept out went well, until it is loosened; then trades go badly."""
    forget_everything()
    configure(CONFIG)
    trades = [*season(LIVE + 1, edge=1.5), *season(LAST - LIVE, first=LIVE + 1, edge=-4.0, noise=1.0)]
    tell_trades(trades)
    tell_windows([*map(bought, trades), *left_each_day(STEPPED - 3, STEPPED)])
    run_learning(0, LAST)


def midnight_after(day: int) -> datetime:
    return MIDNIGHT + (day + 1) * DAY


def standing(table: str = tuning_state.TABLE) -> list[dict[str, Any]]:
    """Rows of a table, whatever the number of the configuration."""
    return stored(table).drop("config_version").to_dicts()


def thresholds(day: int) -> list[dict[str, Any]]:
    """Overrides of thresholds in the set of a day."""
    return [row for row in overrides_by_day() if row["as_of"] == midnight_after(day) and row["lever"] == TS]


def steps() -> list[tuple[str, str, int]]:
    """Steps of the override of entries: to which state, why, and as of the end of which day."""
    told = rows(
        "SELECT to_state, reason, stepped_at FROM learning.override_step WHERE lesson_id = %s ORDER BY step_id",
        next(row["lesson_id"] for row in thresholds(STEPPED) if row["action_category"] == "entry"),
    )
    return [(row["to_state"], row["reason"], (row["stepped_at"] - MIDNIGHT) // DAY - 1) for row in told]


def verdicts(gate: Gate = Gate.TREND_STRENGTH) -> dict[int, str]:
    """What was said of a threshold in nano caps, by day."""
    told = [row for row in stored(tuning_state.VERDICT).to_dicts() if "nano" in row["scope_values"]]
    return {(row["timestamp"] - MIDNIGHT) // DAY: row["verdict"] for row in told if row["gate"] == gate.value}


def gates_at(at: datetime, strength: float) -> tuple[dict[Gate, Any], GateTuning]:
    """Gates of an S1 buy in nano caps as a tick of the runtime reads them, and what tunes them."""
    store = open_postgres_store("a:1:start")
    try:
        with store.snapshot() as snapshot:
            raw = snapshot.live_overrides()
    finally:
        store.close()
    config = PmConfig()
    scope = {ScopeDimension.MCAP_BUCKET: "nano", ScopeDimension.TIMEFRAME: "1h"}
    panel = pm_strengths(
        compile_overrides(raw.rows, at, set_id=raw.set_id),
        [StrengthRequest(pattern_key=BOUGHT, category=ActionCategory.ENTRY, scope=scope)],
        as_of=at,
        weights=config.portfolio.mask_weight,
    )
    tuning = GateTuning(ts_min_mult=float(panel.multiplier[OverrideLever.TS_MIN_MULT][0]))
    bar = token_bar("S1", ts_with_boost=strength)
    read = check_buy(bar, uptrend=config.regime.uptrend, config=config.plan, tuning=tuning)
    return {each.name: each for each in read}, tuning


def make_live(day: int) -> None:
    """What a person does at the console."""
    as_owner(
        "INSERT INTO learning.live_override_set (set_id, author, reason, holds)"
        f" SELECT max(set_id), 'ann', 'a test', true FROM learning.override_set WHERE as_of = '{midnight_after(day)}'"
    )


def test_a_gate_that_kept_out_what_paid_is_loosened_by_one_step(learned):
    told = verdicts()
    (state, *_) = stored(tuning_state.TABLE).to_dicts()

    assert [told[day] for day in (0, STEPPED - 1, STEPPED, STEPPED + 1)] == [
        "too_few",
        "too_few",
        "loosened",
        "cooling",
    ]
    assert (state["multiplier"], state["since"], state["n_evidence"]) == (0.95, midnight_after(STEPPED), 11)
    assert set(verdicts(Gate.NEAR_EMA60).values()) <= {"too_few", "within"}


def test_its_override_is_proposed_watched_and_live_whatever_trades_say_of_sizes(learned):
    assert steps()[:3] == [("proposed", "wanted", 6), ("shadow", "watched", 7), ("live", "stood_watch", LIVE)]
    (entry, add) = sorted(thresholds(LIVE), key=lambda row: row["action_category"], reverse=True)
    assert (entry["action_category"], add["action_category"], entry["pattern_key"]) == ("entry", "add", BOUGHT)
    assert (entry["multiplier"], entry["edge_raw"], entry["decay_mult"]) == (0.95, None, None)
    assert rows("SELECT DISTINCT lever FROM learning.override_step WHERE to_state = 'revoked'") == [
        {"lever": "pm_strength"}
    ]


def test_the_runtime_buys_what_the_gate_kept_out_once_it_is_live(learned):
    noon = midnight_after(LIVE) + DAY / 2
    make_live(LIVE - 1)
    watched, untuned = gates_at(noon, 0.58)
    make_live(LIVE)
    live, tuned = gates_at(noon, 0.58)

    assert (untuned.ts_min_mult, tuned.ts_min_mult) == (1.0, 0.95)
    assert blocking_gates(watched.values()) == (Gate.TREND_STRENGTH,)
    assert blocking_gates(live.values()) == ()
    reading = live[Gate.TREND_STRENGTH]
    assert (reading.threshold_base, reading.threshold) == pytest.approx((0.6, 0.57))
    assert blocking_gates(gates_at(noon, 0.56)[0].values()) == (Gate.TREND_STRENGTH,)


def test_without_evidence_it_returns_and_its_override_is_withdrawn_the_same_day(learned):
    told = verdicts()

    assert [told[day] for day in (TURNED - 1, TURNED, LAST)] == ["cooling", "returned", "returned"]
    assert steps()[3:] == [("expired", "lesson_retired", LAST)]
    assert [{row["multiplier"] for row in thresholds(day)} for day in (TURNED - 1, TURNED, LAST)] == [
        *({0.95}, {0.95 * 1.05}, set()),
    ]
    make_live(LAST)
    assert gates_at(midnight_after(LAST), 0.58)[1] == GateTuning()


def test_rebuilt_from_the_event_log_alone_rates_verdicts_and_states_are_the_same(learned, capsys):
    equal = main(["rebuild", "--verify"])
    said = dict(re.findall(r"^  (\w+) +([\d,]+) rows  equal", capsys.readouterr().out, re.MULTILINE))
    as_owner("UPDATE learning.tuning_state SET multiplier = multiplier * 1.0625")
    differs = main(["rebuild", "--verify"])
    as_owner("UPDATE learning.tuning_state SET multiplier = multiplier / 1.0625")

    assert (equal, differs) == (0, 1)
    made = ("tuning_rate", "tuning_verdict", "tuning_state", "learning_latent_factors", "learning_regime_weights")
    assert all(int(said[table]) > 0 for table in made)
    assert re.findall(r"^  (\w+) +[\d,]+ rows  DIFFERS", capsys.readouterr().out, re.MULTILINE) == ["tuning_state"]


def test_a_day_on_which_thresholds_were_not_judged_takes_none_back(learned):
    kept = {table: standing(table) for table in (tuning_state.VERDICT, tuning_state.TABLE, tuning_state.RATE)}
    for table in kept:
        as_owner(f"DELETE FROM {table} WHERE \"timestamp\" = '{MIDNIGHT + LIVE * DAY}'")
    run_learning(LIVE, tables=OVERRIDES)
    unjudged = thresholds(LIVE)
    run_learning(LIVE, tables=(tuning_state.RATE, tuning_state.VERDICT, tuning_state.TABLE))
    run_learning(LIVE, tables=OVERRIDES)

    assert {table: standing(table) for table in kept} == kept
    assert [row["state"] for row in unjudged] == ["shadow", "shadow"]
    assert [row["state"] for row in thresholds(LIVE)] == ["live", "live"]


@pytest.mark.parametrize(("most", "n_thresholds", "n_sizes"), [(500, 2, 2), (3, 2, 1), (2, 2, 0), (1, 1, 0), (0, 0, 0)])
def test_sizes_leave_room_for_thresholds_and_both_keep_within_the_cap(learned, most, n_thresholds, n_sizes):
    day, config = STEPPED + 1, deepcopy(CONFIG)
    config["learning"]["override"]["max_rows"] = most
    configure(config)
    run_learning(day, tables=OVERRIDES)
    found = [row["lever"] for row in overrides_by_day() if row["as_of"] == midnight_after(day) and row["lever"]]
    configure(CONFIG)
    run_learning(day, tables=OVERRIDES)

    assert (found.count(TS), found.count("pm_strength")) == (n_thresholds, n_sizes)


def refused(result: Any) -> int:
    made = result.asset_materializations_for_node(tuning_state.STEP.name)
    return made[-1].metadata["episodes_refused"].value


def test_a_window_that_cannot_be_right_is_counted_and_moves_nothing(learned):
    tell_windows([left("wrong", 0.5)])
    as_owner("UPDATE pm.pattern_episode_events SET gates = '[{}]' WHERE started_at = '2025-03-04 12:00+00'")
    before = standing()
    result = run_learning(0, LAST, tables=(tuning_state.RATE, tuning_state.VERDICT, tuning_state.TABLE))
    as_owner("DELETE FROM pm.pattern_episode_events WHERE started_at = '2025-03-04 12:00+00'")

    assert refused(result) == 1
    assert standing() == before
