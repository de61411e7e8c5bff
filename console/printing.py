"""What a person sees: a table, or with --json the same facts for a program."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

WIDTH_OF_A_PIPE = 160
"""Columns where no terminal says how many it has; Rich's own 80 would break rows in two."""


def print_json(facts: Mapping[str, Any]) -> None:
    """Print facts as JSON; instants must be text already. What a terminal would obey is escaped, as JSON allows."""
    text = json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in text) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table under its title. Cells are plain text: neither markup nor control characters are obeyed."""
    table = Table(*(Column(name, overflow="fold") for name in columns), box=box.SIMPLE)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_PIPE)
    console.print(Text(printable(title)))
    console.print(table)


def printable(text: str) -> str:
    r"""Text with what a terminal would obey spelled out.

    >>> printable("red \x1b[31m")
    'red \\x1b[31m'
    """
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def _escaped(character: str) -> str:
    """Character as JSON writes one it does not hold as it is."""
    return json.dumps(character)[1:-1]


def age(span: timedelta) -> str:
    """Say how long ago in at most two units.

    >>> age(timedelta(seconds=50)), age(timedelta(minutes=125)), age(timedelta(days=2, hours=3, minutes=4))
    ('0m', '2h 5m', '2d 3h')
    """
    minutes = int(span.total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "m")]
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    said = [f"{count}{unit}" for count, unit in parts[:2] if count]
    return " ".join(said) or "0m"
