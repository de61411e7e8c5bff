"""Write the reference pages that are made from the code: `python -m docs.reference.generate [--check]`.

What belongs here: fields, bounds and words as the code declares them. What does not: any fact the code does not hold,
but for one line that says what a word means; a word without that line is an error.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.reference.api_page import api_blocks
from docs.reference.meaning import MEANING
from docs.reference.portfolio_meaning import PORTFOLIO_WORDS
from domain.config.pm_config import PmConfig
from domain.config.scores import ScoresConfig
from domain.portfolio.trading_switch import TradingMode
from domain.regime.bucket_eligibility import SkipReason
from domain.regime.regime_event import RegimeEventKind
from domain.regime.uptrend_gate import (
    BUY_SIGNAL_GATES,
    DISCOUNT_BUY_GATES,
    FIRST_DIP_GATES,
    GATES,
    RETEST_BUY_GATES,
    TRIM_GATES,
    explain_gates,
)
from domain.regime.uptrend_state import REASON, STATES
from domain.scores.bucket_multiplier import MultiplierBasis
from domain.scores.score_reading import ScoreStatus
from domain.vocabulary.alarm import AlarmKind, AlarmSeverity, DeliveryStatus, NoticeKind
from domain.vocabulary.bar_quarantine import QuarantineReason
from domain.vocabulary.cap_bucket import INPUT_ALIASES, REGIME_BUCKETS, UPPER_EDGE_USD, CapBucket
from domain.vocabulary.cap_status import CapBasis, CapStatus
from domain.vocabulary.driver import CHANNEL_NAMES, DRIVERS, ChannelStatus, DriverRole
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.phase import Lens, Phase
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import MAJORS
from domain.vocabulary.uptrend import StateStatus, UptrendFlag, UptrendState

FOLDER = Path(__file__).resolve().parent
NOTE = "<!-- Written by `python -m docs.reference.generate`: do not edit. -->"
BOUNDS = (
    (annotated_types.Ge, "ge", ">="),
    (annotated_types.Gt, "gt", ">"),
    (annotated_types.Le, "le", "<="),
    (annotated_types.Lt, "lt", "<"),
)
FLAG_GATES = {
    "S1 buy_signal": BUY_SIGNAL_GATES,
    "S2 buy_flag": RETEST_BUY_GATES,
    "S3 buy_flag": DISCOUNT_BUY_GATES,
    "S3 first_dip_buy_flag": FIRST_DIP_GATES,
    "S2, S3 trim_flag": TRIM_GATES,
}


def configuration_page() -> str:
    """Every configuration field: default, bounds, description."""
    lines = [
        "# Configuration",
        NOTE,
        "Every key that `lowcap config` knows. A change takes effect as"
        " [Change the configuration](../how-to/change-the-configuration.md) says. A value out of bounds and an unknown"
        " key are refused. Tables (keys inside a key) may be overridden one row at a time.",
    ]
    for prefix, model in _sections(PmConfig, ""):
        fields = {name: field for name, field in model.model_fields.items() if _section(field) is None}
        if fields:
            lines += [f"## {prefix}", *_paragraphs(model), _field_table(prefix, fields)]
            lines += [block for name, field in fields.items() for block in _default_table(f"{prefix}.{name}", field)]
    return "\n\n".join(lines) + "\n"


def vocabulary_page() -> str:
    """Every word that stands in rows: states, flags, transitions, reasons, channels."""
    blocks = [
        "# Vocabulary",
        NOTE,
        "Words as they stand in columns, configuration keys and messages.",
        *_timeframes(),
        "## Drivers",
        f"In the order tables keep: {_codes(DRIVERS)}. The majors are {_codes(MAJORS)}.",
        *_words("Driver roles", DriverRole),
        "## Channels",
        f"Five roles times three horizons, in the order of every array of `ae_score`: {_codes(CHANNEL_NAMES)}.",
        *_words("Channel status", ChannelStatus),
        *_buckets(),
        *_words("Cap status", CapStatus),
        *_words("Cap basis", CapBasis),
        *_words("Why a bucket is skipped", SkipReason),
        *_words("Phases", Phase),
        *_words("Lenses", Lens),
        *_words("Multiplier basis", MultiplierBasis),
        *_words("Regime events", RegimeEventKind),
        *_words("Uptrend states", UptrendState),
        *_words("State status", StateStatus),
        *_words("Uptrend flags", UptrendFlag),
        *_gates(),
        *_transitions(),
        *_words("Score status in a tick", ScoreStatus),
        *_words("Tick modes", TradingMode),
        *(block for title, words in PORTFOLIO_WORDS.items() for block in _words(title, type(next(iter(words))))),
        *_words("Quarantine reasons", QuarantineReason),
        *_words("Alarms", AlarmKind),
        *_words("Severity of an alarm", AlarmSeverity),
        *_words("What is told outside", NoticeKind),
        *_words("Delivery of a notification", DeliveryStatus),
    ]
    return "\n\n".join(blocks) + "\n"


def assets_page() -> str:
    """Every asset of the two code locations: what it reads, what makes it, what is checked."""
    from docs.reference.assets import assets_page as page  # loads Dagster, which the other pages do not need

    return "\n\n".join(["# Assets", NOTE, *page()]) + "\n"


def api_page() -> str:
    """Every address of the API, with its parameters and answers."""
    return "\n\n".join(["# API", NOTE, *api_blocks()]) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "assets.md": assets_page,
    "api.md": api_page,
    "configuration.md": configuration_page,
    "vocabulary.md": vocabulary_page,
}
"""Generated pages by file name."""


def _sections(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, type[BaseModel]]]:
    if prefix:
        yield prefix, model
    for name, field in model.model_fields.items():
        below = _section(field)
        if below is not None:
            yield from _sections(below, f"{prefix}.{name}" if prefix else name)


def _section(field: FieldInfo) -> type[BaseModel] | None:
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _paragraphs(model: type[BaseModel]) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in (model.__doc__ or "").strip().split("\n\n")]


def _field_table(prefix: str, fields: Mapping[str, FieldInfo]) -> str:
    rows = [
        (f"`{prefix}.{name}`", _default(field), _allowed(field), field.description or "")
        for name, field in fields.items()
    ]
    return _table(("key", "default", "allowed", "meaning"), rows)


def _default(field: FieldInfo) -> str:
    value = _plain(field.get_default(call_default_factory=True))
    if isinstance(value, dict) and any(isinstance(row, dict) for row in value.values()):
        return "table below"
    return f"`{json.dumps(value)}`"


def _default_table(key: str, field: FieldInfo) -> list[str]:
    value = _plain(field.get_default(call_default_factory=True))
    if not isinstance(value, dict) or not any(isinstance(row, dict) for row in value.values()):
        return []
    columns = list(next(iter(value.values())))
    rows = [(f"`{name}`", *(f"{row[column]:g}" for column in columns)) for name, row in value.items()]
    bounds = sorted({_allowed(inner) for inner in _row_fields(field)})
    said = f" Each value {bounds[0]}." if bounds else ""
    said = f"Default of `{key}`; a row's key is `{key}.{next(iter(value))}.{columns[0]}`.{said}"
    return [said, _table(("row", *columns), rows)]


def _row_fields(field: FieldInfo) -> Iterable[FieldInfo]:
    models = [part for part in get_args(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
    return [inner for model in models for inner in model.model_fields.values()]


def _allowed(field: FieldInfo) -> str:
    """Bounds and choices of a field as words."""
    choices = _choices(field.annotation)
    bounds = [
        f"{sign} {getattr(bound, name):g}"
        for kind, name, sign in BOUNDS
        for bound in field.metadata
        if isinstance(bound, kind)
    ]
    least = [f"at least {each.min_length}" for each in field.metadata if isinstance(each, annotated_types.MinLen)]
    return ", ".join([*choices, *bounds, *least])


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [", ".join(f"`{choice}`" for choice in get_args(annotation))]
    return {bool: ["true or false"], int: ["whole number"]}.get(annotation, [])


def _words(title: str, enum: type[StrEnum]) -> Iterator[str]:
    yield f"## {title}"
    yield _table(("word", "meaning"), [(f"`{word.value}`", MEANING[enum][word]) for word in enum])


def _timeframes() -> Iterator[str]:
    horizon_of = {horizon.timeframe: horizon.value for horizon in Horizon}
    executed = ScoresConfig().execution_timeframes
    yield "## Timeframes and horizons"
    yield "Bars are made of every timeframe; driver states of those with a horizon; scores of those of execution."
    rows = [
        (f"`{each.value}`", str(each.minutes), horizon_of.get(each, ""), "yes" if each in executed else "")
        for each in Timeframe
    ]
    yield _table(("timeframe", "minutes", "horizon", "execution by default"), rows)


def _buckets() -> Iterator[str]:
    lowest = 0.0
    rows = []
    for bucket in CapBucket:
        highest = UPPER_EDGE_USD[bucket]
        below = "no limit" if highest == float("inf") else f"{highest:,.0f}"
        rows.append((f"`{bucket.value}`", f"{lowest:,.0f}", below, "yes" if bucket in REGIME_BUCKETS else "no"))
        lowest = highest
    aliases = ", ".join(f"`{alias}` for `{bucket.value}`" for alias, bucket in INPUT_ALIASES.items())
    yield "## Cap buckets"
    yield f"Market cap in USD, lower edge included. Accepted on input only: {aliases}."
    yield _table(("bucket", "from", "to below", "has an A/E score"), rows)


def _gates() -> Iterator[str]:
    yield "## Gates"
    yield (
        "`regime_driver_state.gate_mask` has one bit a gate. A flag is up when all its gates passed; a gate the state"
        " does not ask is 0."
    )
    yield _table(("bit", "value", "gate"), [(str(b), str(1 << b), f"`{gate}`") for b, gate in enumerate(GATES)])
    asked = {
        flag: [gate for gate, is_set in explain_gates(mask).items() if is_set] for flag, mask in FLAG_GATES.items()
    }
    yield _table(("flag", "its gates"), [(f"`{flag}`", _codes(gates)) for flag, gates in asked.items()])


def _transitions() -> Iterator[str]:
    yield "## Transitions"
    yield "Arrows of the state machine with the one reason each has. Before a series' first state there is no arrow."
    rows = []
    for (before, after), reason in REASON.items():
        arrow = f"`{STATES[before]}->{STATES[after]}`" if before >= 0 else f"none, to `{STATES[after]}`"
        rows.append((arrow, f"`{reason}`", MEANING[type(reason)][reason]))
    yield _table(("transition", "reason", "condition"), rows)


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _plain(value: Any) -> Any:
    """Value as JSON would hold it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(row) for key, row in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value.value if isinstance(value, StrEnum) else value


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def main() -> int:
    """Write the pages, or with --check say which are not what the code says; exit code 1 then."""
    parser = argparse.ArgumentParser(description="Write the generated reference pages.")
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 where a page is out of date")
    is_check = parser.parse_args().check
    stale = []
    for name, page in PAGES.items():
        text, path = page(), FOLDER / name
        if is_check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            stale.append(name)
        elif not is_check:
            path.write_text(text, encoding="utf-8")
    sys.stdout.write("".join(f"{name} is out of date: python -m docs.reference.generate\n" for name in stale))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
