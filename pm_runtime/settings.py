"""How a runtime process is started: read from its command line."""

import argparse
import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, Field, ValidationError, model_validator

from domain.vocabulary.timeframe import Timeframe

VENUE_VARIABLE = "LOWCAP_VENUE"
LONGEST_HOLDER = 63
"""Postgres cuts a longer application name."""


class RuntimeSettings(BaseModel, frozen=True, extra="forbid"):
    """What one process shall do. How a tick decides is in `pm.pm_config`, not here."""

    timeframes: tuple[Timeframe, ...] | None = Field(
        default=None,
        min_length=1,
        description="Timeframes to tick; by default scores.execution_timeframes of the configuration.",
    )
    once: bool = Field(default=False, description="Tick the newest closed bar of each timeframe, then end.")
    as_of: AwareDatetime | None = Field(default=None, description="With `once`: the instant that stands for now.")
    from_at: AwareDatetime | None = Field(default=None, description="Tick every bar that closes after this instant...")
    to_at: AwareDatetime | None = Field(default=None, description="...and by this one, in order, then end.")
    quiet: bool = Field(default=False, description="Print a summary instead of a line a tick.")
    standby: bool = Field(default=False, description="Wait for the lease while another process holds it.")
    standby_poll_s: float = Field(default=1.0, gt=0, le=60, description="Seconds between attempts at the lease.")
    grace_s: float = Field(
        default=20.0, ge=0, le=300, description="Seconds after a bar's close that its scores have to be published."
    )
    back_off_first_s: float = Field(default=1.0, gt=0, description="Seconds of pause after a first failure; doubles.")
    back_off_longest_s: float = Field(default=60.0, gt=0, description="Longest pause between attempts, seconds.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    venue: str = Field(
        default="",
        description="Venue of your own, as package.module:factory; by default LOWCAP_VENUE, or the venue on paper.",
    )

    @model_validator(mode="after")
    def _one_mode(self) -> Self:
        if (self.from_at is None) != (self.to_at is None):
            raise ValueError("--from and --to go together")
        if self.from_at is not None and self.to_at is not None and self.from_at > self.to_at:
            raise ValueError(f"--from must not be after --to, was {self.from_at} and {self.to_at}")
        if self.from_at is not None and self.once:
            raise ValueError("--once and --from exclude each other")
        if self.as_of is not None and not self.once:
            raise ValueError("--as-of needs --once")
        return self


def read_command_line(arguments: Sequence[str] | None = None) -> RuntimeSettings:
    """Read a command line; ends the process with exit code 2 and a message when it is wrong."""
    parser = _parser()
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    given.setdefault("venue", os.environ.get(VENUE_VARIABLE, "").strip())
    try:
        return RuntimeSettings.model_validate(given)
    except ValidationError as error:
        problems = (".".join(str(part) for part in p["loc"]) + ": " + p["msg"] for p in error.errors())
        parser.error("; ".join(problem.removeprefix(": ") for problem in problems))


def process_holder(started_at: datetime) -> str:
    """Name of this process, host:pid:start, short enough for Postgres and ASCII only.

    Parameters
    ----------
    started_at : datetime
        When the process started; tells two processes apart that had the same pid.
    """
    tail = f":{os.getpid()}:{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    host = socket.gethostname().encode("ascii", errors="replace").decode()
    return host[: LONGEST_HOLDER - len(tail)] + tail


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pm_runtime",
        description="Tick every closed bar: read the regime's A/E, decide, write one row to pm.pm_tick.",
        epilog="Without --once or --from it runs until SIGTERM or Ctrl-C. Instants are ISO with an offset.",
        argument_default=None,
    )
    parser.add_argument("--once", action="store_true", default=None, help=_help("once"))
    parser.add_argument("--as-of", metavar="ISO", help=_help("as_of"))
    parser.add_argument("--from", dest="from_at", metavar="ISO", help=_help("from_at"))
    parser.add_argument("--to", dest="to_at", metavar="ISO", help=_help("to_at"))
    parser.add_argument("--timeframe", dest="timeframes", action="append", metavar="1h", help=_help("timeframes"))
    parser.add_argument("--quiet", action="store_true", default=None, help=_help("quiet"))
    parser.add_argument("--standby", action="store_true", default=None, help=_help("standby"))
    parser.add_argument("--grace-s", type=float, metavar="S", help=_help("grace_s"))
    parser.add_argument("--venue", metavar="MODULE:FACTORY", help=_help("venue"))
    parser.add_argument("--log-level", choices=["debug", "info", "warning", "error"])
    return parser


def _help(field: str) -> str:
    return (RuntimeSettings.model_fields[field].description or "").replace("%", "%%")
