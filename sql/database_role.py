"""Who connects: one Postgres role per writer, and what the server lets each of them do.

The same numbers stand in the migration that creates the roles; a test compares them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

SEARCH_PATH = ("regime", "pm", "learning", "public")
"""Schemas in which an unqualified table name is looked for, in this order, for every role."""


class DatabaseRole(StrEnum):
    """A user of the database; all but the owner have a Postgres role of their own."""

    OWNER = "owner"
    REGIME = "regime"
    LEARNING = "learning"
    PM = "pm"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLimits:
    """A Postgres role and its bounds, which the server enforces."""

    postgres_role: str
    connection_limit: int
    """Connections at a time, over all databases of the server."""
    statement_timeout_ms: int
    """Longest statement; the statement is cancelled."""
    lock_timeout_ms: int
    """Longest wait for a lock; the statement is cancelled."""
    idle_in_transaction_session_timeout_ms: int
    """Longest pause inside a transaction; the session is ended, and its locks are freed."""


ROLE_LIMITS: Mapping[DatabaseRole, RoleLimits] = MappingProxyType(
    {
        DatabaseRole.REGIME: RoleLimits(
            postgres_role="lowcap_regime",
            connection_limit=30,
            statement_timeout_ms=300_000,
            lock_timeout_ms=30_000,
            idle_in_transaction_session_timeout_ms=120_000,
        ),
        DatabaseRole.LEARNING: RoleLimits(
            postgres_role="lowcap_learning",
            connection_limit=15,
            statement_timeout_ms=600_000,
            lock_timeout_ms=30_000,
            idle_in_transaction_session_timeout_ms=300_000,
        ),
        DatabaseRole.PM: RoleLimits(  # a tick must end before the next bar closes
            postgres_role="lowcap_pm",
            connection_limit=8,
            statement_timeout_ms=15_000,
            lock_timeout_ms=5_000,
            idle_in_transaction_session_timeout_ms=30_000,
        ),
        DatabaseRole.CONSOLE: RoleLimits(  # a person waits
            postgres_role="lowcap_console",
            connection_limit=12,
            statement_timeout_ms=15_000,
            lock_timeout_ms=2_000,
            idle_in_transaction_session_timeout_ms=30_000,
        ),
    }
)
"""65 connections in all: an ordinary server allows 100, and Dagster's own storage connects as the owner."""
