"""Whether the disk of the server's folder has room; a full one stops every write."""

import shutil
from datetime import datetime
from pathlib import Path

import psycopg

from console.finding import Finding, trouble, well, worry
from sql.queries import query

GIB = 1024**3
WARN_BELOW_BYTES, FAIL_BELOW_BYTES = 10 * GIB, 2 * GIB


def disk(connection: psycopg.Connection, _at: datetime) -> Finding:
    """Ask the server for its folder, and this machine for the room there; of a server elsewhere only its size."""
    ((used,),) = connection.execute(query("doctor_database_size").encode()).fetchall()
    if not (connection.info.host or "/").startswith("/"):  # no socket, so the folder may be on another machine
        return well("disk", f"the database takes {_gib(used)}; its server is elsewhere")
    ((folder,),) = connection.execute(query("doctor_server_folder").encode()).fetchall()
    try:
        free = shutil.disk_usage(Path(folder)).free
    except OSError as error:
        return worry("disk", f"{folder} cannot be looked at: {error.strerror}", "run the doctor as the server's user")
    return room(free, used)


def room(free: int, used: int) -> Finding:
    """Judge the bytes that are left beside those the database takes."""
    said = f"{_gib(free)} left; the database takes {_gib(used)}"
    if free < FAIL_BELOW_BYTES:
        return trouble("disk", said, "make room at once: lowcap prune --dry-run shows what may go")
    if free < WARN_BELOW_BYTES:
        return worry("disk", said, "lowcap prune --dry-run shows what may go")
    return well("disk", said)


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
