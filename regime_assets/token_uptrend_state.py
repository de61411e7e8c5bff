"""Uptrend state of the tagged tokens, bar by bar: S0..S3, or S4 while unclear, with flags, scores and reasons.

Reads the bars of the low-caps and their indicators (1m, 15m, 1h, 4h). Folds forward from each token's last stored
state; evaluating a bar twice changes nothing. Minutes are made of the last days only. Fresh within the hour.
"""

import dagster as dg
import polars as pl

from domain.vocabulary.uptrend import StateStatus, UptrendFlag
from regime_assets.chain_asset import ChainTable, Work
from regime_assets.followed_token import BARS, Following
from regime_assets.token_ta import INDICATORS, TOKENS
from resources.inline_check import InlineCheck

CHECK = "check_one_state_per_token_indicator_row"


def publish(work: Work) -> dg.MaterializeResult:
    following = Following.of(work)
    made_from = following.made_from(work.window.start)
    bars = following.bars(TOKENS.window_bars(work))
    evaluated = bars.join(TOKENS.window_indicators(work), on=[*TOKENS.key, "timestamp"])
    previous = TOKENS.last_states(work, evaluated, made_from=made_from)
    frame = TOKENS.state_rows(work, evaluated, previous, made_from=made_from)
    return following.replace(
        work,
        frame,
        values={CHECK: (following.minutes_from,)},
        metadata={"tokens_followed": following.tokens.height, **told(frame)},
    )


def told(frame: pl.DataFrame) -> dict[str, object]:
    """Count transitions and flags by kind, flags also as a share of the rows."""
    raised = frame.select(pl.col(flag.value).sum() for flag in UptrendFlag).row(0, named=True)
    return {
        "transitions": dict(frame["transition"].drop_nulls().value_counts().sort("transition").rows()),
        "flags_raised": raised,
        "flags_raised_frac": {flag: count / frame.height for flag, count in raised.items() if frame.height},
        "rows_warming_up": frame.filter(pl.col("status") == StateStatus.WARMING_UP.value).height,
    }


SPEC = ChainTable(
    table="regime.token_uptrend_state",
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(BARS, INDICATORS),
    kinds=frozenset({"postgres", "polars", "numba"}),
    checks=(
        InlineCheck("one_state_per_indicator_row", CHECK, "A token without a state silently never trades."),
        InlineCheck(
            "transitions_are_legal", "check_token_transitions_are_legal", "A state may move only along an arrow."
        ),
        InlineCheck(
            "scores_are_present",
            "check_token_scores_are_present",
            "Transition bars once came without scores and flags, and trims never fired.",
        ),
    ),
)
