"""A replay as something to learn from: its event log, and a schema of its own for what is learned.

What is learned from simulated trades stands apart from what is learned from live ones, and never reaches the runtime;
another replay can be run with it (`--overrides learned:NAME`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from domain.portfolio.strict_json import read_json
from resources.tables import Tables
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.learned_schema import LearnedSchemaError, learned_schema_of, make_learned_schema
from sql.replay_schema import ReplayRefusedError, has_replay, read_replay_run, schema_of


class ReplayJournalError(ValueError):
    """There is nothing to learn from; the message says what to do."""


@dataclass(frozen=True)
class ReplayJournal:
    """Days of a replay, its strands, and where what they teach is written."""

    first_day: date
    end: datetime
    tables: Tables

    @property
    def last_day(self) -> date:
        """Day of the replay's last instant."""
        return (self.end - timedelta(microseconds=1)).date()


@contextmanager
def open_journal(name: str) -> Iterator[ReplayJournal]:
    """Open a replay's event log, with an empty schema for what it teaches; what it taught before is removed.

    Raises
    ------
    ReplayJournalError
        If there is no such replay, or another process learns from it now.
    """
    try:
        events = schema_of(name)
        learned = learned_schema_of(name)
    except (ReplayRefusedError, LearnedSchemaError) as refused:
        raise ReplayJournalError(str(refused)) from refused
    tables = Tables(role=DatabaseRole.LEARNING.value, schemas={"learning": learned, "pm": events})
    with tables.alone("journal", wait=False) as is_alone, connect(DatabaseRole.OWNER, autocommit=True) as owner:
        if not is_alone:
            raise ReplayJournalError(f"Another process learns from the replay {name} now: wait for it, or end it")
        if not has_replay(owner, events):
            raise ReplayJournalError(f"There is no replay {name}; first: lowcap replay --from .. --to .. --name {name}")
        settings = read_replay_run(owner, events, read_json).settings
        make_learned_schema(owner, learned, drop_old=True)
        yield ReplayJournal(first_day=_instant(settings["from"]).date(), end=_instant(settings["to"]), tables=tables)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
