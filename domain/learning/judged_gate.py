"""What one run of the judge said of one threshold: the word, the step, and all it was decided by."""

import math
from dataclasses import dataclass
from enum import StrEnum

from domain.learning.counterfactual import Counterfactual
from domain.learning.tuning_cell import TuningCell
from domain.learning.tuning_evidence import GateEvidence
from domain.portfolio.gate import Gate


class TuningVerdict(StrEnum):
    """What was decided of one threshold; only the first three move it.

    returned: not enough bears on it any more. contradiction: too tight and too loose at once. cooling: it moved too
    recently. too_few: neither rate has enough episodes. within: no bound is passed. chance: one is, as one of so many
    may be. at_bound: it may go no further. no_gain: a replay says the step does not pay. rr_unknown: no replay can say.
    """

    LOOSENED = "loosened"
    TIGHTENED = "tightened"
    RETURNED = "returned"
    CONTRADICTION = "contradiction"
    COOLING = "cooling"
    TOO_FEW = "too_few"
    WITHIN = "within"
    CHANCE = "chance"
    AT_BOUND = "at_bound"
    NO_GAIN = "no_gain"
    RR_UNKNOWN = "rr_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedGate:
    """What one run said of one threshold.

    step_from, step_to: multipliers, equal where nothing moves. base, threshold: before tuning, and after the run; of
    the discount, before the bar moves it. q: false-discovery rate among all the run asked at which the step is just
    taken; NaN where no bound is passed. replay: of the step that was considered; None where none was.
    """

    cell: TuningCell
    gate: Gate
    verdict: TuningVerdict
    step_from: float
    step_to: float
    base: float
    threshold: float
    evidence: GateEvidence
    q: float
    replay: Counterfactual | None

    def row(self) -> dict[str, object]:
        """Columns of `learning.tuning_verdict`, without when and by whom; `evidence` as JSON."""
        said = self.evidence
        rates = {"miss": said.miss, "false_positive": said.false_positive}
        return {
            **self.cell.columns(),
            "gate": self.gate.value,
            "verdict": self.verdict.value,
            "step_from": self.step_from,
            "step_to": self.step_to,
            "evidence": {
                "threshold_base": self.base,
                "threshold": self.threshold,
                **{
                    name: {"n_hits": each.n_hits, "n": each.n, "rate": each.rate, "low": each.low, "high": each.high}
                    for name, each in rates.items()
                },
                "n_bearing": said.n_bearing,
                "n_new": said.n_new,
                "q": None if math.isnan(self.q) else self.q,
                "replay": None if self.replay is None else self.replay.to_json(),
            },
        }
