"""Which page of the console shows a table: what a materialization in the Dagster UI leads to."""

import os
from datetime import datetime, timedelta
from urllib.parse import urlencode

import dagster as dg

URL_VARIABLE = "LOWCAP_PAGES_URL"
DEFAULT_URL = "http://127.0.0.1:3010"
PAGE = "page"
"""Name of the link among a materialization's metadata."""

INSTANT, DAY = "as_of", "day"

_PAGES: dict[str, tuple[str, str | None]] = {
    **dict.fromkeys(
        (
            *("regime.majors_price_data_ohlc", "regime.lowcap_price_data_ohlc", "regime.dominance_sample"),
            *("regime.token_metadata", "regime.token_cap_bucket", "regime.bucket_eligibility"),
            *("regime.token_ta", "regime.token_uptrend_state"),
        ),
        ("quality", None),
    ),
    "regime.ae_score": ("", INSTANT),
    **dict.fromkeys(("learning.pattern_trade_events", "learning.pattern_scope_stats"), ("funnel", DAY)),
    **dict.fromkeys(("learning.learning_edge_history", "learning.edge_decay_fit"), ("decay", DAY)),
    **dict.fromkeys(
        (
            *("learning.lesson_hypothesis", "learning.learning_run", "learning.learning_lessons"),
            *("learning.learning_latent_factors", "learning.learning_regime_weights"),
        ),
        ("lessons", DAY),
    ),
    **dict.fromkeys(("learning.override_set", "learning.override_step", "learning.pm_overrides"), ("sets", None)),
    "learning.walk_forward": ("forward", DAY),
    "learning.learning_configs": ("config", None),
    "learning.llm_learning": ("notes", None),
    **dict.fromkeys(
        ("learning.tuning_rate", "learning.tuning_verdict", "learning.tuning_state"),
        ("tuning", DAY),
    ),
}
"""Page of each table that has one of its own, and the parameter it takes; the others of the regime share one."""


def page_link(table: str, until: datetime) -> dict[str, dg.MetadataValue]:
    """Metadata that leads from a materialization to the page of its table.

    Parameters
    ----------
    table : str
        Schema and name.
    until : datetime
        End of what was made, UTC: the page shows what was known then.
    """
    page, parameter = _PAGES.get(table, ("regime", INSTANT))
    base = (os.environ.get(URL_VARIABLE) or DEFAULT_URL).rstrip("/")
    asked = {
        INSTANT: until.isoformat(),
        DAY: f"{until - timedelta(microseconds=1):%Y-%m-%d}",
    }
    query = "" if parameter is None else f"?{urlencode({parameter: asked[parameter]})}"
    return {PAGE: dg.MetadataValue.url(f"{base}/{page}{query}")}


def page_addresses() -> set[str]:
    """Addresses that links lead to, without their parameters."""
    return {"/regime"} | {f"/{page}" for page, _ in _PAGES.values()}
