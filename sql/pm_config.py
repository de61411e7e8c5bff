"""Versions of the configuration in `pm.pm_config`: read, written, listed.

A version holds what differs from the defaults of the code. Append-only; the newest is in force. Not here: what a key
means and which values it may take (`domain.config`), and how a person types one (`console`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from domain.config.pm_config import ConfigError, PmConfig, effective_config, overrides_hash
from sql.queries import query

LONGEST_HISTORY = 1000


class UnknownVersionError(LookupError):
    """No configuration has this version."""


class ConfigConflictError(RuntimeError):
    """Somebody else changed the configuration between reading and writing it."""


@dataclass(frozen=True, slots=True)
class VersionedConfig:
    """A configuration and the version that names it."""

    version: int
    config: PmConfig


@dataclass(frozen=True, slots=True)
class StoredConfig:
    """A version as it was written; `overrides` may no longer be valid under this code."""

    version: int
    overrides: dict[str, Any]
    author: str
    reason: str
    created_at: datetime


def read_pm_config(connection: psycopg.Connection, *, version: int | None = None) -> VersionedConfig:
    """Effective configuration of a version.

    Parameters
    ----------
    connection : psycopg.Connection
        Of any role; may be inside a transaction.
    version : int, optional
        By default the newest.

    Raises
    ------
    UnknownVersionError
        If there is no such version.
    ConfigError
        If the stored overrides are not valid under this code.
    """
    stored = read_stored_config(connection, version=version)
    try:
        return VersionedConfig(stored.version, effective_config(stored.overrides))
    except ConfigError as error:
        raise ConfigError(f"Configuration version {stored.version} is not valid under this code: {error}") from None


def read_stored_config(connection: psycopg.Connection, *, version: int | None = None) -> StoredConfig:
    """Read a version as it was written, valid or not. Raises `UnknownVersionError` if there is no such version."""
    if version is None:
        row = connection.execute(query("newest_pm_config").encode()).fetchone()
    else:
        row = connection.execute(query("named_pm_config").encode(), {"version": version}).fetchone()
    if row is None:
        wanted = "any version: pm.pm_config is empty" if version is None else f"version {version}"
        raise UnknownVersionError(f"No configuration has {wanted}")
    return StoredConfig(*row)


def history(connection: psycopg.Connection, *, limit: int = LONGEST_HISTORY) -> list[StoredConfig]:
    """Versions as they were written, newest first, at most `limit`."""
    rows = connection.execute(query("pm_config_history").encode(), {"limit": limit}).fetchall()
    return [StoredConfig(*row) for row in rows]


def write_pm_config(
    connection: psycopg.Connection,
    overrides: Mapping[str, Any],
    *,
    author: str,
    reason: str,
    based_on: int | None = None,
) -> int:
    """Put new overrides in force, in a transaction of their own or the caller's.

    Parameters
    ----------
    connection : psycopg.Connection
        Of a role that may write the table: pm, console, owner.
    overrides : mapping
        All that shall differ from the defaults, nested as the configuration; replaces the former overrides.
    author, reason : str
        Who, and why; not empty.
    based_on : int, optional
        Version the overrides were derived from; refused when another is in force by now.

    Returns
    -------
    int
        The new version, or the one in force when it holds the same overrides.

    Raises
    ------
    ConfigError
        If a key is unknown or a value out of bounds; nothing is written.
    ConfigConflictError
        If `based_on` is no longer in force.
    ValueError
        If author or reason is empty.
    """
    if not author.strip() or not reason.strip():
        raise ValueError("A change of the configuration needs an author and a reason")
    effective_config(overrides)
    with connection.transaction():
        connection.execute(query("lock_pm_config_writers").encode())
        newest = read_stored_config(connection)
        if based_on is not None and newest.version != based_on:
            raise ConfigConflictError(
                f"The configuration is at version {newest.version} by {newest.author} ({newest.reason}), "
                f"no longer at {based_on}: look at it and try again"
            )
        wanted = overrides_hash(overrides)
        if wanted == overrides_hash(newest.overrides):
            return newest.version
        values = {"config": Jsonb(dict(overrides)), "config_hash": wanted, "author": author, "reason": reason}
        ((version,),) = connection.execute(query("insert_pm_config").encode(), values).fetchall()
    return int(version)
