"""What `lowcap prune` may delete, table by table: how old, found by which query, and what is left alone."""

from dataclasses import dataclass
from enum import StrEnum

from console.dagster_checks import SCHEMA
from sql.queries import query


class Retained(StrEnum):
    """What an age is set for; the names of the configuration, `dagster_days` and so on."""

    DAGSTER = "dagster"
    MINUTE = "minute"
    TICK = "tick"
    CELL = "cell"
    STRAND = "strand"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a table that may go once they are old enough."""

    kind: Retained
    table: str
    doomed_by: str
    """Query that finds them."""
    first_by: str | None = None
    """Query for the oldest row there may be, of a part that goes day by day."""

    @property
    def source(self) -> str:
        """Everything after SELECT: the rows that may go, of a day or before an instant."""
        return query(self.doomed_by).format(table=self.table, schema=SCHEMA)

    def statement(self, name: str) -> bytes:
        """Return a named query about these rows."""
        return query(name).format(table=self.table, schema=SCHEMA, doomed=self.source).encode()

    @property
    def counts_from_the_living(self) -> bool:
        """Whether the age counts from the oldest thing that is open: Dagster knows nothing of trades."""
        return self.kind is not Retained.DAGSTER


def _minutes(tables: tuple[str, ...], doomed_by: str) -> tuple[Part, ...]:
    return tuple(Part(Retained.MINUTE, f"regime.{table}", doomed_by, "first_minute_row") for table in tables)


PARTS: tuple[Part, ...] = (
    Part(Retained.DAGSTER, f'"{SCHEMA}".asset_check_executions', "doomed_dagster_check"),
    Part(Retained.DAGSTER, f'"{SCHEMA}".event_logs', "doomed_dagster_event"),
    Part(Retained.DAGSTER, f'"{SCHEMA}".runs', "doomed_dagster_run"),
    *_minutes(("lowcap_price_data_ohlc", "token_ta", "token_uptrend_state"), "doomed_minute_of_token"),
    *_minutes(("majors_price_data_ohlc", "dominance_sample", "regime_price_data_ohlc"), "doomed_minute_of_market"),
    *_minutes(("regime_driver_ta", "regime_driver_state", "ae_score"), "doomed_minute_of_market"),
    Part(Retained.TICK, "pm.pm_tick", "doomed_tick", "first_minute_tick"),
    Part(Retained.CELL, "learning.pattern_scope_stats", "doomed_cell", "first_cell"),
    Part(Retained.STRAND, "pm.ad_strands", "doomed_strand"),
)
"""In this order: an event goes before the run that is left without any."""
