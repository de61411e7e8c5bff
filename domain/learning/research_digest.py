"""What a backend of the research layer is shown of a day: aggregates of lessons and of cells that are none.

No trade, no token, no position, no price, and no name from outside (`shown_value`): what is not shown cannot leak, and
cannot instruct. The text is the same for equal rows, so that a question is recognised when it comes again.

What belongs here: rows to a digest, the digest to a text of bounded length. What does not: questions about it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from domain.config.research import Level, ResearchConfig
from domain.learning.research_note import shown_value
from domain.learning.scope_cell import cell_scope
from domain.learning.trade_fact import ScopeCell
from domain.portfolio.strict_json import canonical_json

SIGNIFICANT_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestCell:
    """A cell of trades with the numbers that are told of it; None where not known.

    verdict: `promoted` of a lesson, else what stopped it. effect_rr and its interval in R against the rest of the
    parent, p_value two-sided on the earlier trades, oos_p_value one-sided on the later ones.
    """

    cell: ScopeCell
    verdict: str
    n_trades: int
    edge: float | None
    effect_rr: float | None
    effect_low: float | None
    effect_high: float | None
    p_value: float | None
    oos_p_value: float | None

    @property
    def shown_scope(self) -> dict[str, str]:
        """Conditions, as notes spell them."""
        return {name.value: shown_value(name, value) for name, value in cell_scope(self.cell).items()}

    @property
    def name(self) -> str:
        """Words for the cell.

        >>> from domain.vocabulary.action import ActionCategory
        >>> numbers = dict.fromkeys(("edge", "effect_rr", "effect_low", "effect_high", "p_value", "oos_p_value"))
        >>> cell = ScopeCell("pm.uptrend.S1.buy_flag", ActionCategory.ENTRY, 256, ("1h",))
        >>> DigestCell(cell=cell, verdict="promoted", n_trades=40, **numbers).name
        'pm.uptrend.S1.buy_flag entry timeframe=1h'
        """
        conditions = [f"{name}={value}" for name, value in self.shown_scope.items()]
        return " ".join([self.cell.pattern_key, self.cell.action_category.value, *conditions])


@dataclass(frozen=True, slots=True, kw_only=True)
class ResearchDigest:
    """A day of the lesson builder.

    day: it is as of its end. baseline_rr: mean of all trades, R; None where none is known. verdicts: tested cells by
    verdict. n_active, n_hypotheses: lessons and tested cells there are, shown or not. lessons: active ones, the largest
    |edge| first. hypotheses: cells that were tested and are no lesson, the smallest p first.
    """

    day: date
    n_trades: int
    baseline_rr: float | None
    verdicts: Mapping[str, int]
    n_active: int
    n_hypotheses: int
    lessons: tuple[DigestCell, ...]
    hypotheses: tuple[DigestCell, ...]

    def absent(self, level: Level) -> str | None:
        """Why a level has nothing to be asked about; None where it has."""
        if level == 2:
            return "no token data"
        if not self.n_trades:
            return "no closed trades"
        if level == 4 and len(self.lessons) < 2:
            return "fewer than two lessons"
        return None


@dataclass(frozen=True, slots=True)
class ResearchInput:
    """Text of a digest, and how many of its cells did not fit."""

    text: str
    n_left_out: int


def strongest(
    digest: ResearchDigest, lessons: list[DigestCell], hypotheses: list[DigestCell], config: ResearchConfig
) -> ResearchDigest:
    """Return the digest with the cells that are shown, of all there are in any order."""
    by_edge = sorted(lessons, key=lambda each: (-abs(each.edge or 0.0), each.cell))
    by_p = sorted(hypotheses, key=lambda each: (1.0 if each.p_value is None else each.p_value, each.cell))
    return replace(
        digest,
        n_active=len(lessons),
        n_hypotheses=len(hypotheses),
        lessons=tuple(by_edge[: config.max_lessons]),
        hypotheses=tuple(by_p[: config.max_hypotheses]),
    )


def research_input(digest: ResearchDigest, config: ResearchConfig) -> ResearchInput:
    """Text of a digest of at most `max_input_characters`: the last cells are left out until it fits.

    Raises
    ------
    ValueError
        If it does not fit without any cell.
    """
    lessons, hypotheses = list(digest.lessons), list(digest.hypotheses)
    while len(text := _text(digest, lessons, hypotheses)) > config.max_input_characters:
        if not (lessons or hypotheses):
            raise ValueError(f"max_input_characters must be >= {len(text)}, was {config.max_input_characters}")
        (hypotheses if len(hypotheses) >= len(lessons) else lessons).pop()
    shown = len(lessons) + len(hypotheses)
    return ResearchInput(text, len(digest.lessons) + len(digest.hypotheses) - shown)


def _text(digest: ResearchDigest, lessons: list[DigestCell], hypotheses: list[DigestCell]) -> str:
    return canonical_json(
        {
            "day": digest.day.isoformat(),
            "closed_trades": digest.n_trades,
            "baseline_r": _rounded(digest.baseline_rr),
            "tested_cells_by_verdict": dict(digest.verdicts),
            "lessons_in_all": digest.n_active,
            "lessons": [_told(each) for each in lessons],
            "not_believed": [_told(each) for each in hypotheses],
        }
    )


def _told(each: DigestCell) -> dict[str, Any]:
    names = ("edge", "effect_rr", "effect_low", "effect_high", "p_value", "oos_p_value")
    return {
        "name": each.name,
        "pattern_key": each.cell.pattern_key,
        "action_category": each.cell.action_category.value,
        "scope": each.shown_scope,
        "verdict": each.verdict,
        "n_trades": each.n_trades,
        **{name: _rounded(getattr(each, name)) for name in names},
    }


def _rounded(number: float | None) -> float | None:
    """To a few digits: more would make equal questions different, and tell nothing."""
    if number is None or not math.isfinite(number):
        return None
    return float(f"{number:.{SIGNIFICANT_DIGITS}g}")
