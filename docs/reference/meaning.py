"""What each word of the vocabulary means, one line a word; the code holds the word, this the sentence.

By enum, because words of two enums may be spelled alike and would then be one key.
"""

from collections.abc import Mapping
from enum import StrEnum

from docs.reference.portfolio_meaning import PORTFOLIO_MEANING
from domain.portfolio.trading_switch import TradingMode
from domain.regime.bucket_eligibility import SkipReason
from domain.regime.regime_event import RegimeEventKind
from domain.scores.bucket_multiplier import MultiplierBasis
from domain.scores.score_reading import ScoreStatus
from domain.vocabulary.alarm import AlarmKind, AlarmSeverity, DeliveryStatus, NoticeKind
from domain.vocabulary.bar_quarantine import QuarantineReason
from domain.vocabulary.cap_status import CapBasis, CapStatus
from domain.vocabulary.driver import ChannelStatus, DriverRole
from domain.vocabulary.phase import Lens, Phase
from domain.vocabulary.uptrend import StateStatus, TransitionReason, UptrendFlag, UptrendState

Sentences = Mapping[StrEnum, str]

STATE: Sentences = {
    UptrendState.S0: "Downtrend: the EMAs stood in bearish order, fast below slow.",
    UptrendState.S1: "Primer: the price and the fast EMAs came above EMA60.",
    UptrendState.S2: "The price came above EMA333; the EMAs are not in bullish order yet.",
    UptrendState.S3: "Uptrend: the EMAs stood in bullish order, fast above slow down to EMA333.",
    UptrendState.S4: "No clear state: warming up, or ambiguous at the start. Adds nothing to A and E.",
}

STATUS: Sentences = {
    StateStatus.WARMING_UP: "Fewer bars than `regime.uptrend.min_bars` since the series began or had a long hole.",
    StateStatus.OK: "The state may be used.",
}

FLAG: Sentences = {
    UptrendFlag.BUY_SIGNAL: "S1: near EMA60, slope rising, trend strength sufficient.",
    UptrendFlag.BUY_FLAG: "S2: retest of EMA333. S3: discount between EMA144 and EMA333.",
    UptrendFlag.FIRST_DIP_BUY_FLAG: "S3: dip to EMA20, EMA30 or EMA60 soon after S3 began.",
    UptrendFlag.TRIM_FLAG: "S2, S3: over-extended, and near a level where the series has levels.",
    UptrendFlag.EMERGENCY_EXIT: "S3 with the price below EMA333, or the bar that falls from S1 to S0.",
    UptrendFlag.RECLAIMED_EMA333: "S3: back at or above EMA333 after a bar with `emergency_exit`.",
    UptrendFlag.EXIT_POSITION: "The bar that falls to S0 from S1, S2 or S3.",
}

TRANSITION: Sentences = {
    TransitionReason.BOOTSTRAP_S0_ORDER: "Bearish order on the first warm bar, or in S4.",
    TransitionReason.BOOTSTRAP_S3_ORDER: "Bullish order on the first warm bar, or in S4; the state is `bootstrapped`.",
    TransitionReason.FAST_BAND_ABOVE_EMA60: "EMA20, EMA30 and the price above EMA60.",
    TransitionReason.S1_TO_S0_BEARISH_ORDER: "Bearish order.",
    TransitionReason.PRICE_ABOVE_EMA333: "Price above EMA333.",
    TransitionReason.PRICE_BELOW_EMA333: "Price below EMA333.",
    TransitionReason.BULLISH_ORDER: "Bullish order.",
    TransitionReason.S2_TO_S0_BEARISH_ORDER: "Bearish order.",
    TransitionReason.ALL_EMAS_BELOW_333: "All five faster EMAs below EMA333.",
}

ROLE: Sentences = {
    DriverRole.BTC: "The driver `BTC`.",
    DriverRole.ALT: "The driver `ALT`, the index of the alt basket.",
    DriverRole.BUCKET: "The driver of the score's own cap bucket.",
    DriverRole.BTCD: "The driver `BTC.d`; its weight is negative.",
    DriverRole.USDTD: "The driver `USDT.d`; its weight is negative.",
}

CHANNEL: Sentences = {
    ChannelStatus.OK: "Counts towards coverage.",
    ChannelStatus.MISSING: "No bar of this driver and horizon had closed.",
    ChannelStatus.STALE: "Its last bar closed longer ago than `scores.channel_ttl_minutes`.",
    ChannelStatus.WARMING_UP: "It has bars, but not enough for a state.",
}

SCORE: Sentences = {
    ScoreStatus.FRESH: "Its own levers are used.",
    ScoreStatus.DEGRADED: "Too few channels: `runtime.neutral_lever` is used in its place.",
    ScoreStatus.STALE: "Older than `runtime.score_ttl_bars` bars: no lever.",
    ScoreStatus.MISSING: "No score at or before the bar: no lever.",
}

MODE: Sentences = {
    TradingMode.ACTIVE: "At least one bucket is fresh or degraded. With none fresh, `mode_reason` says so.",
    TradingMode.REDUCE_ONLY: "Trims and exits only: every bucket is stale or missing, or somebody switched; the reason"
    " says which.",
    TradingMode.HALTED: "Exits only: somebody switched, or the switch cannot be read.",
}

QUARANTINE: Sentences = {
    QuarantineReason.NAIVE_TIMESTAMP: "The time has no zone, and the layout declares none.",
    QuarantineReason.MISSING_VALUE: "A column is empty or is no number.",
    QuarantineReason.OFF_GRID_TIMESTAMP: "The open is not on the grid of the timeframe, counted from midnight UTC.",
    QuarantineReason.FUTURE_BAR: "It opens later than now plus `regime.bar.future_tolerance_s`.",
    QuarantineReason.NOT_FINITE: "A price or the volume is NaN or infinite.",
    QuarantineReason.NON_POSITIVE_PRICE: "A price is 0 or below.",
    QuarantineReason.NEGATIVE_VOLUME: "The volume is below 0.",
    QuarantineReason.OHLC_ORDER: "The high is below the body, or the low above it.",
    QuarantineReason.OUT_OF_RANGE: "A dominance that is not between 0 and 100 percent.",
    QuarantineReason.REVISION_CONFLICT: "Another row of the same bar in the same load was trusted more.",
    QuarantineReason.UNIT_STEP: "Its chain stepped by one ratio at once: prices in another unit.",
    QuarantineReason.PRICE_JUMP: "High or low too far from the last accepted close: `regime.bar.max_jump`.",
    QuarantineReason.SUPERSEDED: "It was stored, and a later load gave other values.",
}

PHASE: Sentences = {
    Phase.EUPHORIA: "Score from 1.20: far ahead, and speeding up.",
    Phase.GOOD: "0.40 to 1.20: ahead.",
    Phase.RECOVER: "-0.20 to 0.40: holding, or coming back.",
    Phase.DIP: "-0.90 to -0.20: behind.",
    Phase.DOUBLE_DIP: "-1.30 to -0.90: behind again, or deeper.",
    Phase.OH_SHIT: "Below -1.30: far behind, and speeding up.",
    Phase.CHOP: "Slope, curvature and change over BTC near nothing, and a small score: it goes nowhere.",
}

LENS: Sentences = {
    Lens.BTCUSD: "BTC itself: the tone of the market.",
    Lens.ROTATION: "ALT less BTC: rotation.",
    Lens.PORT_BTC: "The subject less BTC.",
    Lens.PORT_ALT: "The subject less ALT: does it take part?",
}

CAP: Sentences = {
    CapStatus.OK: "The cap may be used.",
    CapStatus.MISSING: "The source gave none.",
    CapStatus.ZERO: "Zero, or a supply of zero: sources write that where they do not know.",
    CapStatus.NOT_FINITE: "Not a number, or infinite.",
    CapStatus.NEGATIVE: "Below zero.",
    CapStatus.STALE: "Read more than `regime.cap_bucket.tag_ttl_hours` before the end of its day.",
}

BASIS_OF_CAP: Sentences = {
    CapBasis.REPORTED: "The source gave the cap.",
    CapBasis.SUPPLY_TIMES_CLOSE: "The source gave a supply; the cap is that times the last close known then.",
}

SKIP: Sentences = {
    SkipReason.TOO_FEW_MEMBERS: "Fewer tagged tokens than `regime.cap_bucket.bucket_min_members`.",
    SkipReason.MEDIAN_VOLUME_UNKNOWN: "A volume floor is set and no member's volume is known.",
    SkipReason.MEDIAN_VOLUME_BELOW_FLOOR: "The median 24 h volume is below the floor.",
    SkipReason.TELEMETRY_ONLY: "xl: returns and phases are made, rank and composite leave it out.",
}

EVENT: Sentences = {
    RegimeEventKind.BUCKET_ROTATION: "The order of the buckets changed from one hour to the next.",
    RegimeEventKind.BUCKET_EXTREME: "A bucket's meso phase became Euphoria or Oh-Shit, with confidence.",
}

BASIS: Sentences = {
    MultiplierBasis.RANKED: "Rank and slope count.",
    MultiplierBasis.NO_PHASE: "The bucket has no meso phase in this hour: 1.",
    MultiplierBasis.LOW_CONFIDENCE: "Its confidence is below `min_confidence`: 1.",
    MultiplierBasis.TELEMETRY_ONLY: "xl: always 1.",
}

ALARM: Sentences = {
    AlarmKind.EDGE_HALVED: "The lesson of a live override kept half of its edge at birth, or less.",
    AlarmKind.FPR_DOUBLED: "False positives of a cell doubled from one window to the next, beyond chance.",
    AlarmKind.COVERAGE_LOW: "A newest score heard too few channels.",
    AlarmKind.LABEL_CHURN: "Phases of a bucket changed far more often than is usual.",
    AlarmKind.STALE_TABLE: "The next row of a table is overdue.",
    AlarmKind.DEAD_DAEMON: "A part of Dagster's daemon is silent.",
    AlarmKind.SILENT_RUNTIME: "The runtime ticks no more.",
    AlarmKind.TICK_OVERRUN: "Ticks take longer than their bars.",
    AlarmKind.NO_SCORE: "A tick had no A/E to act on.",
    AlarmKind.ORDER_NOT_TAKEN: "A venue did not take an order.",
    AlarmKind.RECONCILE_FAILED: "What an earlier process had ordered could not be told to the venue.",
}

SEVERITY: Sentences = {
    AlarmSeverity.WARN: "It can wait.",
    AlarmSeverity.ERROR: "Trading suffers.",
}

NOTICE: Sentences = {
    NoticeKind.ALARM_RAISED: "An alarm stands.",
    NoticeKind.ALARM_CLEARED: "It is over.",
    NoticeKind.SWITCH: "Somebody set the switch.",
    NoticeKind.OVERRIDE_SET: "Another set of overrides is live, or none.",
    NoticeKind.REGIME_EVENT: "An event of the regime.",
}

DELIVERY: Sentences = {
    DeliveryStatus.WAITING: "Not tried yet, or to be tried again.",
    DeliveryStatus.DELIVERED: "The receiver took it.",
    DeliveryStatus.GIVEN_UP: "Refused for good, or tried too often.",
    DeliveryStatus.EXPIRED: "Too old before it could be told.",
}

MEANING: Mapping[type[StrEnum], Sentences] = {
    type(next(iter(sentences))): sentences
    for sentences in (
        STATE,
        STATUS,
        FLAG,
        TRANSITION,
        ROLE,
        CHANNEL,
        SCORE,
        MODE,
        QUARANTINE,
        PHASE,
        LENS,
        CAP,
        BASIS_OF_CAP,
        SKIP,
        BASIS,
        EVENT,
        ALARM,
        SEVERITY,
        NOTICE,
        DELIVERY,
    )
} | PORTFOLIO_MEANING
"""Sentences by enum; a word without one is an error where the page is made."""
