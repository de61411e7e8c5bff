"""`lowcap doctor`: whether everything is as it should be, a line a check, and what to do where it is not."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from console.doctor import examine
from console.finding import Finding, Level
from console.host_checks import Host
from console.instant import read_instant
from console.printing import print_json, printable
from console.session import FAILED
from console.stack import PROJECT


def doctor(
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", envvar="LOWCAP_AS_OF", metavar="ISO", help="Instant ages are measured at (default: now)"
        ),
    ] = None,
    is_strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for a warning too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look whether everything is as it should be; exit code 1 when something is not. Changes nothing."""
    at = read_instant(as_of)
    python = (sys.version_info.major, sys.version_info.minor, sys.version_info.micro)
    findings = examine(Host(python=python, environment=dict(os.environ), project=PROJECT), at)
    counts = Counter(finding.level for finding in findings)
    if as_json:
        print_json(
            {
                "as_of": at.isoformat(),
                "counts": {level.value: counts[level] for level in Level},
                "findings": [_facts(finding) for finding in findings],
            }
        )
    else:
        _print(findings, counts)
    if counts[Level.FAIL] or (is_strict and counts[Level.WARN]):
        raise typer.Exit(FAILED)


def _facts(finding: Finding) -> dict[str, str | None]:
    return {
        "check": finding.check,
        "level": finding.level.value,
        "said": finding.said,
        "todo": finding.todo or None,
    }


def _print(findings: Sequence[Finding], counts: Counter[Level]) -> None:
    width = max(len(each.check) for each in findings)
    for each in findings:
        todo = f" -> {each.todo}" if each.todo else ""
        typer.echo(printable(f"{each.level.value:<4}  {each.check:<{width}}  {each.said}{todo}"))
    typer.echo(", ".join(f"{counts[level]} {level.value}" for level in Level))
