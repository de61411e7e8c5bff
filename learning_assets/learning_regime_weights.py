"""Weights of the components of an edge in each regime, as of a day: which of them tell a trade's outcome there.

A regime is what BTC, the alts and the token's bucket do, as up, flat or down. Where too few trades were made in one,
the fit to all of them speaks; where these are too few as well, every weight is 1. Told always; whether overrides are
made with them, the configuration says.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from domain.learning.regime_trade import RegimeTrades, regime_trades
from domain.learning.regime_weight import RegimeWeight, RegimeWeights, regime_weights
from domain.learning.trade_fact import TradeFact
from domain.vocabulary.action import ActionCategory
from learning_assets import pattern_trade_events
from learning_assets.learning_table import Day, LearningStep, LearningTable, Study
from learning_assets.table_frame import table_frame
from learning_assets.weight_picture import SHOWN_DAYS, weight_picture

TABLE = "learning.learning_regime_weights"


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    trades = known_regime_trades(study, pattern_trade_events.read_facts(study))
    made = [(day, day_weights(study, trades, day)) for day in study.days]
    rows = [weight_row(day, each) for day, weights in made for each in weights.told()]
    before = study.tables.query("regime_weights_between", (study.window.start - SHOWN_DAYS, study.window.start))
    picture = weight_picture([*before.iter_rows(named=True), *rows])
    yield study.replace(
        TABLE,
        table_frame(TABLE, rows),
        metadata={
            **_spread(study, made),
            "trades_without_regime": trades.n_without_signature,
            **({"picture": dg.MetadataValue.md(picture)} if picture else {}),
        },
    )


def known_regime_trades(study: Study, facts: Sequence[TradeFact]) -> RegimeTrades:
    """Trades of the range and before it, with what was known when each was decided."""
    return regime_trades(
        facts,
        as_of_at=study.window.end,
        max_abs_rr=study.max_abs_rr,
        edge=study.config.learning.edge,
        config=study.config.learning.regime_weight,
    )


def day_weights(study: Study, trades: RegimeTrades, day: Day) -> RegimeWeights:
    """Fit the weights as of a day."""
    return regime_weights(trades.closed_before(day.as_of), study.config.learning.regime_weight)


def weight_row(day: Day, weight: RegimeWeight) -> dict[str, object]:
    """Row of one regime and category."""
    return {**day.columns, **weight.row()}


def _spread(study: Study, made: Sequence[tuple[Day, RegimeWeights]]) -> dict[str, object]:
    """Say how far apart the weights of regimes are: 0 everywhere learns nothing of them."""
    if not made:
        return {}
    last, config = made[-1][1], study.config.learning.regime_weight
    spreads = {category.value: last.spread(category, config) for category in (ActionCategory.ENTRY, ActionCategory.ADD)}
    return {
        f"{category}_{name}": "not known" if value != value else round(float(value), 4)
        for category, spread in spreads.items()
        for name, value in {
            "regimes_fitted": spread.n_fitted,
            "widest": max((each for each in spread.largest_minus_least if each == each), default=float("nan")),
            "clamped_frac": spread.clamped_frac,
        }.items()
    }


STEP = LearningStep(
    tables=(LearningTable(TABLE, __doc__ or ""),),
    publish=publish,
    code_version="1",
    reads=(pattern_trade_events.TABLE,),
)
