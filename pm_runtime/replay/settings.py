"""What one replay shall do: read from its command line."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, Field, ValidationError, field_validator, model_validator

from domain.vocabulary.timeframe import Timeframe
from sql.replay_schema import NAME, Overrides, schema_of

ALL = "all"
CHAIN_MARK = "@"
YEARS = range(2000, 2201)
LARGEST_SET = 2**31 - 1


class ReplaySettings(BaseModel, frozen=True, extra="forbid"):
    """Window, universe and rules of a replay. How a tick decides is in `pm.pm_config`, not here."""

    from_at: AwareDatetime = Field(description="Replay every bar that closes after this instant...")
    to_at: AwareDatetime = Field(description="...and by this one.")
    timeframes: tuple[Timeframe, ...] = Field(
        default=(Timeframe.H1, Timeframe.H4), min_length=1, description="Timeframes to trade; default: 1h and 4h."
    )
    universe: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="all (default): every token with states and a cap tag in the window; a file with a token a line; "
        "or tokens, by commas. A token is its contract, or contract@chain.",
    )
    overrides: Overrides = Field(
        default="off",
        description="off (default): nothing learned; live: the set that was live at each instant; the number of one "
        "set, throughout; or learned:NAME: what was learned from the replay NAME, day by day.",
    )
    name: str | None = Field(
        default=None,
        pattern=f"^{NAME.pattern}$",
        description="Its rows stand in the schema replay_NAME; a-z, 0-9 and _; default: made from the window.",
    )
    fresh: bool = Field(default=False, description="Forget an earlier replay of this name.")
    as_json: bool = Field(default=False, description="Print the report as JSON.")
    pictures: Path | None = Field(default=None, description="Folder for the equity curve, an SVG.")

    @field_validator("from_at", "to_at")
    @classmethod
    def _within_the_calendar(cls, given: datetime) -> datetime:
        if given.year not in YEARS:
            raise ValueError(f"expected a year from {YEARS[0]} to {YEARS[-1]}, was {given.year}")
        return given

    @field_validator("overrides")
    @classmethod
    def _a_number_of_a_set(cls, given: Overrides) -> Overrides:
        if isinstance(given, int) and not 0 <= given <= LARGEST_SET:
            raise ValueError(f"expected the number of a set, 0 to {LARGEST_SET:,}, was {given}")
        return given

    @field_validator("timeframes")
    @classmethod
    def _each_once(cls, given: tuple[Timeframe, ...]) -> tuple[Timeframe, ...]:
        return tuple(sorted(set(given), key=lambda timeframe: timeframe.minutes))

    @field_validator("universe")
    @classmethod
    def _no_empty_name(cls, given: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if given is not None and any(not each.partition(CHAIN_MARK)[0] for each in given):
            raise ValueError("a token of the universe has no contract")
        if given is not None and not all(each.isprintable() for each in given):
            raise ValueError("a token of the universe has characters that no name has")
        return None if given is None else tuple(sorted(set(given)))

    @model_validator(mode="after")
    def _a_window(self) -> Self:
        if self.from_at >= self.to_at:
            raise ValueError(f"--from must be before --to, was {self.from_at} and {self.to_at}")
        return self

    @property
    def schema_name(self) -> str:
        """Schema its rows stand in."""
        return schema_of(self.name or f"{_short(self.from_at)}_{_short(self.to_at)}")

    @property
    def tokens(self) -> tuple[list[str], list[str]] | None:
        """Contracts and chains that are named, a chain "" where none is; None for all."""
        if self.universe is None:
            return None
        pairs = [each.partition(CHAIN_MARK) for each in self.universe]
        return [contract for contract, _, _ in pairs], [chain for _, _, chain in pairs]

    def identity(self) -> dict[str, Any]:
        """Return what makes two replays the same one, as JSON has it."""
        return {
            "from": self.from_at.astimezone(UTC).isoformat(),
            "to": self.to_at.astimezone(UTC).isoformat(),
            "timeframes": [timeframe.value for timeframe in self.timeframes],
            "universe": ALL if self.universe is None else list(self.universe),
            "overrides": self.overrides,
        }


def read_command_line(arguments: Sequence[str] | None = None) -> ReplaySettings:
    """Read a command line; ends the process with exit code 2 and a message when it is wrong."""
    parser = _parser()
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    try:
        if "universe" in given:
            given["universe"] = read_universe(given["universe"])
        return ReplaySettings.model_validate(given)
    except ValidationError as error:
        problems = (".".join(str(part) for part in p["loc"]) + ": " + p["msg"] for p in error.errors())
        parser.error("; ".join(problem.removeprefix(": ") for problem in problems))
    except OSError as error:
        parser.error(f"--universe: {error}")


def read_universe(given: str) -> list[str] | None:
    """Tokens of the option: None for all of them.

    A file holds a token a line; what follows a # at the start of a line or after a blank does not count.

    >>> read_universe("all"), read_universe("WIF@solana,BONK")
    (None, ['WIF@solana', 'BONK'])
    """
    if given == ALL:
        return None
    if not Path(given).is_file():
        return [each.strip() for each in given.split(",")]
    lines = [f" {line}".partition(" #")[0].strip() for line in Path(given).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line]


def _short(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f"{utc:%Y%m%d}" if utc == utc.replace(hour=0, minute=0, second=0, microsecond=0) else f"{utc:%Y%m%dt%H%M%S}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lowcap replay",
        description="Tick a past window as the runtime would have, in a schema of its own, and report on it.",
        epilog="Started again it goes on where it was stopped. Instants are ISO with an offset: 2025-04-01T00:00Z.",
        argument_default=None,
    )
    parser.add_argument("--from", dest="from_at", metavar="ISO", required=True, help=_help("from_at"))
    parser.add_argument("--to", dest="to_at", metavar="ISO", required=True, help=_help("to_at"))
    parser.add_argument("--universe", metavar="all|FILE|TOKENS", help=_help("universe"))
    parser.add_argument("--timeframe", dest="timeframes", action="append", metavar="1h", help=_help("timeframes"))
    parser.add_argument("--overrides", metavar="off|live|SET|learned:NAME", type=_overrides, help=_help("overrides"))
    parser.add_argument("--name", help=_help("name"))
    parser.add_argument("--fresh", action="store_true", default=None, help=_help("fresh"))
    parser.add_argument("--json", dest="as_json", action="store_true", default=None, help=_help("as_json"))
    parser.add_argument("--pictures", metavar="FOLDER", type=Path, help=_help("pictures"))
    return parser


def _overrides(given: str) -> str | int:
    return int(given) if given.isdecimal() else given


def _help(field: str) -> str:
    return (ReplaySettings.model_fields[field].description or "").replace("%", "%%")
