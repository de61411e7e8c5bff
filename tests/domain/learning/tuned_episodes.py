"""Windows of opportunity by hand, and runs of the judge over them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from benchmarks.tuning_world import CONFIG, GATES, PLAN, START, UPTREND, WEEK, reading, window
from domain.config.tuning import TuningConfig
from domain.learning.episode_fact import EpisodeFact
from domain.learning.judged_gate import JudgedGate
from domain.learning.tuned_gate import TunedGate
from domain.learning.tuning_cell import TuningCell
from domain.learning.tuning_state import TuningState
from domain.learning.tuning_verdict import TuningRun, judge
from domain.portfolio.gate import Gate, fact
from domain.scopes.pattern_key import TuningFamily
from domain.scopes.scope import Scope

S1, S3 = TuningFamily.S1_ENTRY, TuningFamily.S3_RETEST
ROOT = TuningCell(S1, 0, ())
ROOT_ONLY = CONFIG.model_copy(update={"masks": ((),)})
MINUTE = timedelta(minutes=1)


def gate_of(name: Gate = Gate.TREND_STRENGTH, family: TuningFamily = S1) -> TunedGate:
    return next(each for each in GATES if (each.family, each.gate) == (family, name))


def episode(
    name: str,
    ts: float = 0.65,
    *,
    halo: float = 0.2,
    is_success: bool = True,
    rr: float | None = None,
    week: int = 0,
    is_open: bool = True,
    multiplier: float = 1.0,
    scope: Scope | None = None,
) -> EpisodeFact:
    """A window of S1 in a week; acted where trend strength, distance and the others allow. A halo of .2 is far in."""
    gates = [
        reading(gate_of(), ts, multiplier),
        reading(gate_of(Gate.NEAR_EMA60), halo),
        fact(Gate.LEVER_A, is_open),
    ]
    rr = rr if rr is not None else 1.0 if is_success else -1.0
    named = {} if scope is None else {"scope": scope}
    return window(
        f"{week}-{name}", gates, is_success=is_success, rr=rr, family=S1, started_at=START + week * WEEK, **named
    )


def several(n_success: int, n_failure: int, ts: float, *, name: str = "", **options) -> list[EpisodeFact]:
    """Windows that are alike but for their outcome."""
    label = f"{name}{ts}"
    wins = [episode(f"{label}-win-{i}", ts, is_success=True, **options) for i in range(n_success)]
    return wins + [episode(f"{label}-loss-{i}", ts, is_success=False, **options) for i in range(n_failure)]


def bought(week: int = 0, n: int = 5, **options) -> list[EpisodeFact]:
    """Windows bought far from every threshold: they bear on no gate, and give each outcome a mean rr of its sign."""
    return several(n, n, 0.9, name="far", week=week, **options)


def run_of(
    episodes: Sequence[EpisodeFact],
    *,
    week: int = 1,
    previous: Sequence[TuningState] = (),
    config: TuningConfig = ROOT_ONLY,
) -> TuningRun:
    """A run at the beginning of a week: it knows what was concluded in the weeks before."""
    return judge(previous, episodes, as_of_at=start_of(week), config=config, plan=PLAN, uptrend=UPTREND)


def start_of(week: int) -> datetime:
    return START + week * WEEK


def verdict_of(run: TuningRun, gate: Gate = Gate.TREND_STRENGTH, cell: TuningCell = ROOT) -> JudgedGate:
    return next(each for each in run.verdicts if (each.cell, each.gate) == (cell, gate))


def state_at(multiplier: float, *, week: int = 0, cell: TuningCell = ROOT, **changed) -> TuningState:
    """A threshold of trend strength that stands somewhere since a week."""
    usual = {"since": start_of(week), "fed_at": start_of(week), "n_evidence": 40}
    return TuningState(cell=cell, gate=Gate.TREND_STRENGTH, multiplier=multiplier, **{**usual, **changed})
