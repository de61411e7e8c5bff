"""`lowcap export` and `lowcap import`: what was learned as a file, and a file of others as something to look at."""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import psycopg

from learning_assets.exchanged_file import ExchangedFileError, FileFormat, read_file, write_file
from learning_assets.exchanged_kind import ExchangedKind
from learning_assets.exchanged_rows import ImportRefusedError, read_exchanged, take_in
from sql.database import DatabaseConnectionError, connect
from sql.database_role import DatabaseRole
from sql.learned_schema import LearnedSchemaError
from sql.migrated import refuse_unmigrated
from sql.migration_file import MigrationError

COMMANDS = ("export", "import")
FAILED, REFUSED = 1, 2


class ExchangeRefusedError(ValueError):
    """What was asked for cannot be; the message says why."""


def add_exchange_commands(commands: Any) -> None:
    """Add `export` and `import` to the subcommands of a parser."""
    kinds, formats = [kind.value for kind in ExchangedKind], [each.value for each in FileFormat]
    out = commands.add_parser("export", prog="lowcap export", help="write lessons, overrides or trades to a file")
    out.add_argument("kind", choices=kinds, help="what; trades are the facts that learning stands on")
    out.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write")
    out.add_argument("--replay", metavar="NAME", help="what this replay taught, or was taken in under this name")
    out.add_argument("--overwrite", action="store_true", help="replace the file if it is there")
    taken = commands.add_parser("import", prog="lowcap import", help="take such a file in, in a schema of its own")
    taken.add_argument("kind", choices=kinds, help="what the file holds")
    taken.add_argument("file", type=Path, metavar="FILE", help="file to read")
    taken.add_argument("--name", required=True, help="rows go to the schema learned_NAME, never to the live one")
    for parser in (out, taken):
        parser.add_argument("--format", choices=formats, help="default: by the end of the file's name")
        parser.add_argument("--folder", type=Path, default=Path(), help="where files lie whose name is no whole path")
        parser.add_argument("--json", action="store_true", help="print JSON")


def exchange(options: argparse.Namespace) -> int:
    """Run one of the two; returns the exit status, 1 when something was in the way, 2 when it cannot be."""
    try:
        facts = _export(options) if options.command == "export" else _import(options)
    except (ExchangeRefusedError, ImportRefusedError, ExchangedFileError, LearnedSchemaError) as refused:
        sys.stderr.write(f"{refused}\n")
        return REFUSED
    except (DatabaseConnectionError, MigrationError, psycopg.Error, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    said = json.dumps(facts) if options.json else _words(options.command, facts)
    sys.stdout.write(f"{said}\n")
    return 0


def _export(options: argparse.Namespace) -> dict[str, Any]:
    kind, out = ExchangedKind(options.kind), options.folder / options.out
    file_format = _format(options.format, out)
    if out.exists() and not options.overwrite:
        raise ExchangeRefusedError(f"{out} is there already: name another file, or say --overwrite")
    if not out.absolute().parent.is_dir():
        raise ExchangeRefusedError(f"There is no folder {out.absolute().parent}")
    with connect(DatabaseRole.LEARNING, autocommit=True, read_only=True) as connection:
        refuse_unmigrated(connection)
        told = read_exchanged(connection, kind, options.replay)
    write_file(out, told, file_format)
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    return {"kind": kind.value, "rows": len(told.rows), "file": str(out), "sha256": digest}


def _import(options: argparse.Namespace) -> dict[str, Any]:
    kind, file = ExchangedKind(options.kind), options.folder / options.file
    told = read_file(file, kind, _format(options.format, file))
    with connect(DatabaseRole.OWNER, autocommit=True) as connection:
        refuse_unmigrated(connection)
        done = take_in(connection, told, options.name)
    return {"kind": kind.value, "rows": done.rows, "schema": done.schema, "is_new": done.is_new}


def _format(given: str | None, file: Path) -> FileFormat:
    wanted = given or file.suffix.removeprefix(".")
    if wanted not in list(FileFormat):
        raise ExchangeRefusedError(f"Of which format is {file.name!r}? Say --format {'|'.join(FileFormat)}")
    return FileFormat(wanted)


def _words(command: str, facts: dict[str, Any]) -> str:
    if command == "export":
        return f"{facts['rows']:,} rows of {facts['kind']} in {facts['file']}, SHA-256 {facts['sha256']}"
    were = "" if facts["is_new"] else " were there already"
    return f"{facts['rows']:,} rows of {facts['kind']}{were} in {facts['schema']}"
