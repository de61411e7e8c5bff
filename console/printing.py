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
    """Print facts as JSON; instants must be text already."""
    sys.stdout.write(json_text(facts))


def json_text(facts: Mapping[str, Any]) -> str:
    r"""Write facts as JSON with a line break at the end; what a terminal would obey is escaped, as JSON allows.

    >>> json_text({"ticker": "\x1b[31m"})
    '{\n  "ticker": "\\u001b[31m"\n}\n'
    """
    text = json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False)
    return "\n".join(line if line.isprintable() else _escaped(line) for line in f"{text}\n".split("\n"))


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
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def _escaped(line: str) -> str:
    """Line with each character that is not shown as JSON writes one it does not hold as it is."""
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in line)


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
