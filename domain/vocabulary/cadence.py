"""How often the main tables get a row: how long after the start of one the next is due."""

from collections.abc import Mapping
from datetime import timedelta

from domain.vocabulary.timeframe import Timeframe

_MINUTE, _HOUR, _DAY = (each.duration for each in (Timeframe.M1, Timeframe.H1, Timeframe.D1))

CADENCE: Mapping[str, timedelta] = {
    "majors_price_data_ohlc 1m": _MINUTE,
    "lowcap_price_data_ohlc 1m": _MINUTE,
    "dominance_sample": _DAY,
    "token_metadata": _DAY,
    "token_cap_bucket": _DAY,
    "regime_price_data_ohlc 1m": _MINUTE,
    "regime_driver_state 1m": _MINUTE,
    "bucket_return_series 1h": _HOUR,
    "phase_state": _HOUR,
    "regime_context": _HOUR,
    "ae_score 1h": _HOUR,
    "token_uptrend_state 1h": _HOUR,
    "learning_run": 2 * _DAY,
}
"""By table and timeframe; a learned day is due once it and the next are over."""

LEARNED = frozenset({"learning_run"})
"""Those that learning makes."""
