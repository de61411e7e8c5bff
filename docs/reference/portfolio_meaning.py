"""What each word of the portfolio means: positions, decisions, orders and the event log, one line a word."""

from collections.abc import Mapping
from enum import StrEnum

from domain.portfolio.episode import EpisodeDecision, EpisodeOutcome
from domain.portfolio.exposure_skew import SkewBasis
from domain.portfolio.gate import Gate
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.override_contradiction import Precedence
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.plan import DecisionType
from domain.portfolio.pm_strength import StrengthBasis
from domain.portfolio.sizing import SizeBasis
from domain.portfolio.strand import StrandKind
from domain.portfolio.timeframe_split import SplitBasis
from domain.scopes.pattern_key import PatternFlag, TuningFamily
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.lever_mode import LeverMode
from pm_runtime.portfolio_row import OrderStatus

Sentences = Mapping[StrEnum, str]

POSITION: Sentences = {
    PositionStatus.DORMANT: "Too few bars for a state; of 1m also while a slower timeframe of its token has enough.",
    PositionStatus.WATCHLIST: "May be entered.",
    PositionStatus.ACTIVE: "In a trade, from the first fill until the trade is closed.",
    PositionStatus.PAUSED: "Stopped by hand: nothing is bought, trims and exits go on.",
    PositionStatus.ARCHIVED: "Put away by hand; holds nothing.",
}

ORDER: Sentences = {
    OrderStatus.PLANNED: "Decided and stored; the venue was not told yet, or did not answer.",
    OrderStatus.SUBMITTED: "The venue has taken it.",
    OrderStatus.FILLED: "Executed, wholly or in part; what it did not get is void.",
    OrderStatus.REJECTED: "The venue refused it.",
    OrderStatus.EXPIRED: "It could not be executed in its time.",
}

CATEGORY: Sentences = {
    ActionCategory.ENTRY: "First buy of a trade.",
    ActionCategory.ADD: "Later buy.",
    ActionCategory.TRIM: "Sale of a part.",
    ActionCategory.EXIT: "Sale of everything.",
}

DECISION: Sentences = {
    DecisionType.ENTRY: "First buy of a trade.",
    DecisionType.ADD: "Later buy.",
    DecisionType.TRIM: "Sale of a part.",
    DecisionType.EMERGENCY_EXIT: "Sale of everything, whatever the reason; the pattern names it.",
    DecisionType.HOLD: "Nothing; never stored as an action.",
}

GATE: Sentences = {
    Gate.NEAR_EMA60: "Buy in S1: distance to EMA60, in ATR.",
    Gate.MID_SLOPE_RISING: "Buy in S1: EMA60 rises, or EMA144 does not fall.",
    Gate.TREND_STRENGTH: "Trend strength, with the boost of near levels.",
    Gate.NEAR_EMA333: "Buy in S2: distance to EMA333, in ATR.",
    Gate.SLOW_SLOPE_RISING: "Buy in S2 and S3: EMA250 rises, or EMA333 does not fall.",
    Gate.DISCOUNTED: "Buy in S3: the discount is large enough; more is asked as the trend decays.",
    Gate.AT_OR_BELOW_EMA144: "Buy in S3: the close is not above EMA144.",
    Gate.AT_OR_ABOVE_EMA333: "Every buy in S3: the close is not below EMA333.",
    Gate.NOT_BOOTSTRAPPED: "Every buy in S3: the series has been through S0, so the S3 began while it was watched.",
    Gate.NOT_ON_A_FLIP: "Buy in S1 and S2: the state did not change on this very bar.",
    Gate.FIRST_MATCH: "No earlier rule claimed the bar.",
    Gate.HELD: "There is something to sell.",
    Gate.NO_OPEN_ORDER: "No order of the position waits; before an exit, no other exit.",
    Gate.MODE: "Scores and switch allow it; `detail` names the mode. Exits do not ask.",
    Gate.LIFECYCLE: "An entry needs the status `watchlist`, an add `active`.",
    Gate.CAP_BUCKET: "The token's cap bucket is known.",
    Gate.LEVER_A: "The token has A; of an entry at least `portfolio.sizing.min_entry_a`.",
    Gate.LEVER_E: "The token has E.",
    Gate.TRIM_COOLDOWN: "`plan.trim_cooldown_bars` since the last trim of the trade.",
    Gate.EMERGENCY_ONCE: "Not sold in this emergency already.",
    Gate.S1_ONCE: "Not bought in S1 in this trade.",
    Gate.NEW_REASON_TO_BUY: "Not bought in this state in this trade, or another state or a trim since.",
    Gate.FIRST_DIP_ONCE: "No first dip was bought in this trade.",
    Gate.RECLAIM_ONCE: "This reclaim of EMA333 was not bought.",
}

PATTERN: Sentences = {
    PatternFlag.BUY_FLAG: "The buy rule of S1, S2 or S3; the engine calls that of S1 `buy_signal`.",
    PatternFlag.FIRST_DIP_BUY_FLAG: "First dip in S3.",
    PatternFlag.REBUY_FLAG: "The buy rule of S2 or S3, after a trim.",
    PatternFlag.RECLAIMED_EMA333: "Back above EMA333 in S3.",
    PatternFlag.TRIM_FLAG: "Over-extended in S2 or S3.",
    PatternFlag.EXIT_POSITION: "Fell to S0, or still held there.",
    PatternFlag.EMERGENCY_EXIT: "Below EMA333 in S3, or the fall from S1.",
}

FAMILY: Sentences = {
    TuningFamily.S1_ENTRY: "From S0->S1 to the first bar outside S1.",
    TuningFamily.S3_RETEST: "While an S3 closes between EMA333 and EMA144.",
}

EPISODE: Sentences = {
    EpisodeDecision.ACTED: "A buy was ordered in it.",
    EpisodeDecision.SKIPPED: "It ended without one; its gates are those of the bar nearest to a buy.",
}

OUTCOME: Sentences = {
    EpisodeOutcome.PENDING: "The bars have not told yet.",
    EpisodeOutcome.SUCCESS: "S1: S3 reached, or a trim flag in S2 above the price. S3: a trim flag above the price.",
    EpisodeOutcome.FAILURE: "S0 came first.",
    EpisodeOutcome.EXPIRED: "`plan.episode.max_age_days` went by: neither.",
}

LEVER: Sentences = {
    OverrideLever.PM_STRENGTH: "Size of a buy.",
    OverrideLever.TS_MIN_MULT: "Least trend strength of a buy.",
    OverrideLever.HALO_MULT: "Largest distance to the EMA, in S1 and S2.",
    OverrideLever.DX_MIN_MULT: "Least discount, in S3.",
}

STRENGTH: Sentences = {
    StrengthBasis.BLENDED: "Overrides apply; their logs are averaged by mask weight x confidence.",
    StrengthBasis.NO_MATCH: "None applies: 1.",
    StrengthBasis.NO_WEIGHT: "Those that apply have no weight: 1.",
    StrengthBasis.SWITCHED_OFF: "`lowcap overrides off` holds here: 1.",
    StrengthBasis.SELLS: "Nothing learned touches a sale: 1.",
}

PRECEDENCE: Sentences = {
    Precedence.BLENDED: "On one lever: the logs of both are averaged, as of all that apply.",
    Precedence.EVERY_GATE: "On two thresholds: each gate is asked with its own, and all must be open.",
    Precedence.GATES_FIRST: "Size against threshold: the gate decides whether, the size only how much of what passes.",
}

SPLIT: Sentences = {
    SplitBasis.LEARNED: "Kept by the position from its approval, learned by then.",
    SplitBasis.DEFAULT: "Kept from its approval, as configured then: nothing was learned yet.",
    SplitBasis.CONFIGURED: "The position keeps none: `portfolio.sizing.timeframe_splits` of the tick.",
}

SKEW: Sentences = {
    SkewBasis.MEASURED: "By what is held near.",
    SkewBasis.EMPTY_BOOK: "Nothing else is held: `portfolio.exposure.empty_book_skew`.",
    SkewBasis.NO_MASK: "The position knows the dimensions of no mask: 1.",
}

SIZE: Sentences = {
    SizeBasis.SIZED: "Above 0.",
    SizeBasis.LEVER_TOO_LOW: "A is below `portfolio.sizing.min_entry_a`.",
    SizeBasis.CAP_REACHED: "Nothing of the position's cap is left.",
}

STRAND: Sentences = {
    StrandKind.PM_ACTION: "One action, told when its order is settled.",
    StrandKind.POSITION_CLOSED: "A trade with its result, told after its actions.",
}

LEVER_MODE: Sentences = {
    LeverMode.PATIENT: "Below `portfolio.lever_mode.normal_from`.",
    LeverMode.NORMAL: "From there on.",
    LeverMode.AGGRESSIVE: "From `portfolio.lever_mode.aggressive_from` on.",
}

PORTFOLIO_WORDS: Mapping[str, Sentences] = {
    "Position status": POSITION,
    "Action categories": CATEGORY,
    "Decision types": DECISION,
    "Pattern flags": PATTERN,
    "Planner gates": GATE,
    "Lever modes": LEVER_MODE,
    "Size basis": SIZE,
    "Override levers": LEVER,
    "Strength basis": STRENGTH,
    "Override precedence": PRECEDENCE,
    "Skew basis": SKEW,
    "Timeframe split basis": SPLIT,
    "Order status": ORDER,
    "Strand kinds": STRAND,
    "Tuning families": FAMILY,
    "Episode decisions": EPISODE,
    "Episode outcomes": OUTCOME,
}
"""Sentences by the heading they stand under, in the order of the page."""

PORTFOLIO_MEANING: Mapping[type[StrEnum], Sentences] = {
    type(next(iter(sentences))): sentences for sentences in PORTFOLIO_WORDS.values()
}
