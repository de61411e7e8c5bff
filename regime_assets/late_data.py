"""When the past changes: a day of the last week whose input came late is made again, and every later day with it.

The tables that fold forward do not name their own yesterday as an input. Dagster puts an asset that depends on itself
into runs of its own, so a backfill of the chain took a run and half a minute a table; and its conditions then asked
for the day before a late one as well. That later days follow from earlier ones is said here instead.
"""

from datetime import timedelta
from typing import Any

import dagster as dg
from dagster._core.asset_graph_view.entity_subset import EntitySubset

LATE_DATA_DAYS = 7
"""How many days back, today included, data that comes late is still taken in by itself."""

AC = dg.AutomationCondition


class AndEveryLaterDay(AC[dg.AssetKey]):
    """True for the days of the last week that an operand is true for, and for every day after the first of them."""

    def __init__(self, operand: AC[dg.AssetKey]) -> None:
        self.operand = operand

    @property
    def children(self) -> list[AC[dg.AssetKey]]:
        """Conditions this one is made of; Dagster tells them apart by their place in it."""
        return [self.operand]

    async def evaluate(self, context: dg.AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        """Evaluate the operand on the last week, and carry what it finds forward."""
        week = context.asset_graph_view.compute_latest_time_window_subset(context.key, timedelta(days=LATE_DATA_DAYS))
        found = await context.for_child_condition(
            self.operand, child_indices=[0], candidate_subset=week
        ).evaluate_async()
        true_subset = onwards(found.true_subset, week).compute_intersection(context.candidate_subset)
        return dg.AutomationResult(context, true_subset=true_subset, child_results=[found])


def onwards(days: EntitySubset[dg.AssetKey], week: EntitySubset[dg.AssetKey]) -> EntitySubset[dg.AssetKey]:
    """Days of a week from the first of some days on; none when there are none."""
    first = min(days.expensively_compute_partition_keys(), default=None)
    later = {day for day in week.expensively_compute_partition_keys() if first is not None and day >= first}
    return week.compute_intersection_with_partition_keys(later)


LATE_DATA: dg.AutomationCondition[Any] = (
    AC.in_latest_time_window(timedelta(days=LATE_DATA_DAYS))
    & ~AC.in_latest_time_window()
    & AndEveryLaterDay(AC.any_deps_updated()).since_last_handled()
    & ~AC.in_progress()
).with_label("late data of the last week")
"""Today belongs to the schedules, which make it again each hour."""
