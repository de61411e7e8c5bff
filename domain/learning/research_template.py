"""The backend that asks nobody: a report of the day's lessons, and the best of what was not believed as hypotheses.

It is the default, needs no network, and says the same of the same day whenever it is asked.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from domain.config.research import Level, ResearchConfig
from domain.learning.lesson_hypothesis import Verdict
from domain.learning.research_digest import DigestCell, ResearchDigest
from domain.learning.research_note import MAX_CONDITIONS, Hypothesis, HypothesisType, Note, Report, TradeSlice

TEMPLATE_MODEL: Final = "template"
TEMPLATE_VERSION: Final = "1"
"""Goes into the prompt hash: other words are another prompt."""

_OPEN = frozenset({Verdict.NOT_SIGNIFICANT, Verdict.NOT_CONFIRMED, Verdict.NOT_SIGNIFICANT_ALONE})
"""Verdicts that more trades may change; the others say that a cell is too small, or the shadow of a lesson."""


def template_notes(
    level: Level, digest: ResearchDigest, config: ResearchConfig, *, known: Collection[TradeSlice] = ()
) -> tuple[Note, ...]:
    """Write the notes of a level; none of a level there is no template of.

    Parameters
    ----------
    level : int
    digest : ResearchDigest
        The day.
    config : ResearchConfig
        How many.
    known : collection of TradeSlice
        Slices that were claimed already; they are not claimed again.
    """
    maker = _MAKERS.get(level)
    return maker(digest, config, known) if maker and digest.absent(level) is None else ()


def _report(digest: ResearchDigest, config: ResearchConfig, known: Collection[TradeSlice]) -> tuple[Note, ...]:
    baseline = "unknown" if digest.baseline_rr is None else f"{digest.baseline_rr:+.3f} R"
    verdicts = ", ".join(f"{name} {count}" for name, count in sorted(digest.verdicts.items()) if count)
    findings = [
        f"{digest.n_trades} closed trades are known; their mean is {baseline}.",
        f"Cells asked about, by verdict: {verdicts or 'none'}.",
        f"{digest.n_active} lessons hold; the {len(digest.lessons)} with the largest edge follow."
        if digest.lessons
        else "No lesson holds: no size is moved by what was learned.",
        *(_finding(each) for each in digest.lessons[: 40 - 3]),
    ]
    return (Report(title=f"Lessons as of the end of {digest.day.isoformat()}", findings=findings),)


def _finding(each: DigestCell) -> str:
    return f"{each.name}: edge {_number(each.edge)}, {_effect(each)}, {each.n_trades} trades."


def _hypotheses(digest: ResearchDigest, config: ResearchConfig, known: Collection[TradeSlice]) -> tuple[Note, ...]:
    taken = list(known)
    notes: list[Note] = []
    for each in digest.hypotheses:
        claim = _slice(each)
        if claim is None or claim in taken or len(notes) == config.max_items:
            continue
        taken.append(claim)
        notes.append(
            Hypothesis(
                type=HypothesisType.INTERACTION_PATTERN if len(claim.scope) > 1 else HypothesisType.OTHER,
                proposal=f"Trades of {each.name} end {claim.expected_sign} than the other trades of their pattern.",
                reasoning=f"Of what was not believed ({each.verdict}): {_effect(each)}, p {_number(each.p_value)},"
                f" {each.n_trades} trades.",
                test=claim,
            )
        )
    return tuple(notes)


def _slice(each: DigestCell) -> TradeSlice | None:
    """Claim that a cell makes; None where it makes none that can be tested."""
    is_open = each.verdict in _OPEN and each.p_value is not None and each.effect_rr
    if not is_open or not 1 <= each.cell.mask.bit_count() <= MAX_CONDITIONS:
        return None
    return TradeSlice.model_validate(
        {
            "pattern_key": each.cell.pattern_key,
            "action_category": each.cell.action_category.value,
            "scope": each.shown_scope,
            "expected_sign": "better" if (each.effect_rr or 0.0) > 0 else "worse",
        }
    )


def _effect(each: DigestCell) -> str:
    interval = f"{_number(each.effect_low)} to {_number(each.effect_high)}"
    return f"effect {_number(each.effect_rr)} R ({interval})"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:+.3g}"


_MAKERS: Final[Mapping[int, Callable[[ResearchDigest, ResearchConfig, Collection[TradeSlice]], tuple[Note, ...]]]] = {
    1: _report,
    5: _hypotheses,
}
