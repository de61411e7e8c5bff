"""What is learned of a day follows from the trades closed by its end, however and whenever it is made."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import dagster as dg
import pytest

from learning_assets import pattern_scope_stats
from learning_assets.learning_table import Day
from tests.chain_runs import configure
from tests.domain.learning.told_trades import ToldTrade
from tests.learned_episodes import bought, known_at, left_each_day, tell_windows
from tests.learned_world import (
    DAY,
    FALLING,
    FEW,
    MIDNIGHT,
    RISING,
    differing,
    everything,
    forget_everything,
    look,
    rows,
    run_learning,
    season,
    tell_trades,
)

pytestmark = pytest.mark.postgres
N_COUNTS_TRADES = dg.AssetCheckKey(dg.AssetKey(["learning", "pattern_scope_stats"]), "n_counts_trades")
LAST = 12
MARKETS = {"markets": (RISING, FALLING)}
TRADES = [*season(9, edge=1.5, **MARKETS), *season(LAST - 8, first=9, edge=-1.5, **MARKETS)]
LEFT = left_each_day(0, LAST)
CONFIG = deepcopy(FEW)
CONFIG["learning"]["mining"] |= {"excluded_dimensions": list(RISING)}
CUT = 10
"""The override of nano caps is live from the end of day 8, and the trades from day 9 on speak against it."""


@pytest.fixture(scope="module")
def batch(module_database) -> dict[str, Any]:
    """Everything after one run over all days."""
    configure(CONFIG)
    return learned(TRADES, (0, LAST))


def begin(trades: list[ToldTrade], before: int = LAST + 1) -> None:
    """Forget everything, then tell trades, their windows and others, as they were known at a midnight."""
    forget_everything()
    tell_trades(trades)
    tell_windows(known_at([*map(bought, trades), *LEFT], MIDNIGHT + before * DAY))


def learned(trades: list[ToldTrade], *runs: tuple[int, int], before: int = LAST + 1) -> dict[str, Any]:
    begin(trades, before)
    for first, last in runs:
        run_learning(first, last)
    return everything()


def up_to(told: dict[str, Any], before: int) -> dict[str, Any]:
    """Of everything, the days before one."""
    end = MIDNIGHT + before * DAY
    days = {table: [row for row in its if row["timestamp"] < end] for table, its in told.items() if table != "sets"}
    return {**days, "sets": [row for row in told["sets"] if row["as_of"] <= end]}


def test_the_world_has_something_in_every_table(batch):
    assert [table for table, its in batch.items() if not its] == []
    assert {row["state"] for row in batch["sets"]} >= {"proposed", "shadow", "live"}
    assert any(row["status"] == "retired" for row in batch["learning.learning_lessons"])


def test_cutting_off_the_future_changes_nothing_before_it(batch):
    known = [told for told in TRADES if told.closure.occurred_at < MIDNIGHT + CUT * DAY]
    without_future = learned(known, (0, CUT - 1), before=CUT)

    assert len(known) < len(TRADES)
    assert differing(without_future, up_to(batch, CUT)) == []


def test_the_comparison_catches_a_day_that_knows_the_future(batch, monkeypatch):
    mine = pattern_scope_stats.mine

    def leaky(study, facts, day):
        of_the_end = mine(study, facts, Day(day.midnight, study.window.end))
        return replace(mine(study, facts, day), baseline_rr=of_the_end.baseline_rr)

    monkeypatch.setattr(pattern_scope_stats, "mine", leaky)
    leaked = learned(TRADES, (0, LAST))

    assert set(differing(up_to(leaked, CUT), up_to(batch, CUT))) == {
        *("learning.pattern_scope_stats", "learning.learning_edge_history", "learning.edge_decay_fit"),
        *("learning.learning_run", "learning.lesson_hypothesis", "learning.learning_lessons", "sets"),
        *("learning.walk_forward", "learning.walk_forward_trade", "learning.llm_learning"),
    }


def test_a_cell_of_more_trades_than_had_closed_is_blocked_and_what_stood_stays(batch, monkeypatch):
    mine = pattern_scope_stats.mine
    begin(TRADES)
    run_learning(0, 3)
    before = everything()
    monkeypatch.setattr(
        pattern_scope_stats, "mine", lambda study, facts, day: mine(study, facts, Day(day.midnight, study.window.end))
    )

    with dg.DagsterInstance.ephemeral() as instance:
        result = run_learning(0, 3, instance=instance, raise_on_error=False)
        (seen, _planned) = instance.event_log_storage.get_asset_check_execution_history(N_COUNTS_TRADES, limit=2)

    assert not result.success
    assert seen.status.value == "FAILED"
    assert differing(everything(), before) == []


def test_day_by_day_is_the_same_as_all_days_at_once(batch):
    assert differing(learned(TRADES, (0, 5), *((day, day) for day in range(6, LAST + 1))), batch) == []


def test_made_again_it_is_the_same_and_no_set_is_stored_twice(batch):
    again = learned(TRADES, (0, LAST), (0, LAST), (CUT, CUT))

    assert differing(again, batch) == []
    assert rows("SELECT count(*) AS n, count(DISTINCT as_of) AS instants FROM learning.override_set") == [
        {"n": LAST + 1, "instants": LAST + 1}
    ]


def test_looks_during_a_day_leave_no_trace_once_it_is_over(batch):
    begin(TRADES)
    run_learning(0, CUT - 1)
    run_learning(CUT, as_of=MIDNIGHT + (CUT + 0.5) * DAY)
    run_learning(CUT, CUT + 1, as_of=MIDNIGHT + (CUT + 1.5) * DAY)
    run_learning(CUT + 1, LAST)

    now = everything()
    assert len({row["as_of"] for row in now["sets"]}) == LAST + 3
    assert differing({**now, "sets": [row for row in now["sets"] if row["as_of"].hour == 0]}, batch) == []


def test_a_trade_told_late_has_the_days_since_made_again_as_if_it_had_come_in_time(batch):
    late = [told for told in TRADES if MIDNIGHT + 5 * DAY <= told.closure.occurred_at < MIDNIGHT + 5.5 * DAY]
    told = {each.closure.trade_id for each in late}
    begin([each for each in TRADES if each.closure.trade_id not in told])
    tell_windows(map(bought, late))
    run_learning(0, LAST)
    assert len(differing(everything(), batch)) > 5
    now = MIDNIGHT + (LAST + 0.97) * DAY
    tell_trades(late)

    (request,) = look(1, at=now).run_requests
    span = [request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end")]
    run_learning(5, LAST)

    assert span == [str((MIDNIGHT + day * DAY).date()) for day in (5, LAST)]
    assert differing(everything(), batch) == []


def test_of_a_trade_closed_today_no_past_day_is_made_again():
    forget_everything()
    (told, *_) = season(1, first=3)
    tell_trades([told, replace(told)])

    assert look(at=told.closure.occurred_at + DAY / 1000).run_requests == []
