"""Kinds of rows a lineage walks over, and the links between them, upwards to causes and downwards to what followed.

What belongs here: names, keys and which query or columns make a link. What does not: how rows are read, or told.
"""

from dataclasses import dataclass

DRIVER_KEY = ("driver", "book_id", "timeframe", "timestamp")
TOKEN_KEY = ("token_contract", "chain", "timeframe", "timestamp")
TUNED_KEY = ("timestamp", "family", "gate", "scope_mask", "scope_values_hash")
CELL_KEY = ("timestamp", "pattern_key", "action_category", "scope_mask", "scope_values_hash")

KEYS: dict[str, tuple[str, ...]] = {
    "override": ("override_id",),
    "override_step": ("step_id",),
    "lesson": ("lesson_id", "timestamp"),
    "statistic": CELL_KEY,
    "hypothesis": CELL_KEY,
    "decay_fit": ("timestamp", "pattern_key", "action_category", "scope_signature"),
    "learning_run": ("timestamp",),
    "tuning_state": TUNED_KEY,
    "tuning_verdict": TUNED_KEY,
    "tuning_rate": tuple(name for name in TUNED_KEY if name != "gate"),
    "episode": ("episode_id",),
    "fact": ("action_id",),
    "trade": ("trade_id",),
    "action": ("trade_id", "order_id"),
    "fill": ("fill_id",),
    "tick": ("timeframe", "bar_timestamp"),
    "config": ("version",),
    "score": ("bucket", "book_id", "timeframe", "timestamp"),
    "context": ("timestamp",),
    "tag": ("token_contract", "chain", "timestamp"),
    "metadata": ("token_contract", "chain", "timestamp"),
    "driver_state": DRIVER_KEY,
    "driver_ta": DRIVER_KEY,
    "driver_bar": DRIVER_KEY,
    "token_state": TOKEN_KEY,
    "token_ta": TOKEN_KEY,
    "token_bar": TOKEN_KEY,
    "major_bar": ("symbol", "timeframe", "timestamp"),
    "sample": ("metric", "timeframe", "timestamp"),
    "quarantine": ("quarantine_id",),
}
"""Columns that name a row of each kind."""

TABLES: dict[str, str] = {
    "override": "learning.pm_overrides",
    "override_step": "learning.override_step",
    "lesson": "learning.learning_lessons",
    "statistic": "learning.pattern_scope_stats",
    "hypothesis": "learning.lesson_hypothesis",
    "decay_fit": "learning.edge_decay_fit",
    "learning_run": "learning.learning_run",
    "tuning_state": "learning.tuning_state",
    "tuning_verdict": "learning.tuning_verdict",
    "tuning_rate": "learning.tuning_rate",
    "episode": "pm.pattern_episode_events",
    "fact": "learning.pattern_trade_events",
    "trade": "pm.ad_strands",
    "action": "pm.ad_strands",
    "fill": "pm.pm_fill",
    "tick": "pm.pm_tick",
    "config": "pm.pm_config",
    "score": "regime.ae_score",
    "context": "regime.regime_context",
    "tag": "regime.token_cap_bucket",
    "metadata": "regime.token_metadata",
    "driver_state": "regime.regime_driver_state",
    "driver_ta": "regime.regime_driver_ta",
    "driver_bar": "regime.regime_price_data_ohlc",
    "token_state": "regime.token_uptrend_state",
    "token_ta": "regime.token_ta",
    "token_bar": "regime.lowcap_price_data_ohlc",
    "major_bar": "regime.majors_price_data_ohlc",
    "sample": "regime.dominance_sample",
    "quarantine": "regime.bar_quarantine",
}

LEARNED = frozenset(kind for kind, table in TABLES.items() if table.startswith("learning."))
HELD = frozenset({"trade", "action", "fill", "tick", "episode"})
"""Kinds whose rows stand in the schema of a portfolio; a replay has its own of these and of what was learned."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A link from a row to others: by a query, or by columns of the row that are the key of the other.

    is_whole: never cut; there is a fixed number of them. is_optional: a row that is not there is not missed.
    is_applied: what is led to stands where the overrides came from that a replay was asked to apply.
    """

    words: str
    kind: str
    query: str = ""
    columns: tuple[str, ...] = ()
    is_whole: bool = False
    is_optional: bool = False
    is_applied: bool = False


_MEASURED = ("measured_at", *CELL_KEY[1:])

UP: dict[str, tuple[Edge, ...]] = {
    "override": (
        Edge("its life up to this set", "override_step", query="steps_of_override"),
        Edge("made of the lesson, as of the day of the set", "lesson", query="lesson_of_override"),
        Edge("where the tuned threshold stood", "tuning_state", query="tuning_of_override"),
    ),
    "tuning_state": (
        Edge("what was judged of it", "tuning_verdict", query="verdicts_of_tuning"),
        Edge("how its windows ended", "tuning_rate", columns=KEYS["tuning_rate"], is_optional=True),
        Edge("windows in its cell that ended before", "episode", query="episodes_of_tuning"),
    ),
    "episode": (Edge("the trade it was taken by", "trade", columns=("trade_id",)),),
    "lesson": (
        Edge("its statistics, as of the day it was measured", "statistic", columns=_MEASURED),
        Edge("what was asked of it", "hypothesis", columns=_MEASURED, is_optional=True),
        Edge("what else was tried that day", "learning_run", columns=("measured_at",)),
        Edge(
            "how its edge decays",
            "decay_fit",
            columns=("measured_at", "pattern_key", "action_category", "scope_signature"),
            is_optional=True,
        ),
        Edge("trades in its cell, closed before it was measured", "trade", query="trades_of_lesson"),
    ),
    "trade": (
        Edge("its actions", "action", query="actions_of_trade"),
        Edge("what learning took of it", "fact", query="facts_of_trade"),
    ),
    "action": (
        Edge(
            "A and E began with the score",
            "score",
            columns=("bucket", "book_id", "timeframe", "score_timestamp"),
        ),
        Edge("the token's state", "token_state", columns=(*TOKEN_KEY[:3], "bar_opened_at")),
        Edge("the token's bar", "token_bar", columns=(*TOKEN_KEY[:3], "bar_opened_at")),
        Edge("the token's cap bucket", "tag", columns=("token_contract", "chain", "bar_day")),
        Edge("the regime it knew", "context", columns=("context_timestamp",)),
        Edge("learned overrides that applied", "override", query="overrides_of_action", is_applied=True),
        Edge("its tick", "tick", columns=("timeframe", "bar_opened_at"), is_optional=True),
        Edge("the configuration in force", "config", columns=("config_version",)),
        Edge("what came of its order", "fill", query="fills_of_action"),
    ),
    "score": (Edge("states of its channels", "driver_state", query="states_of_score", is_whole=True),),
    "driver_state": (Edge("evaluated on the indicators", "driver_ta", columns=DRIVER_KEY),),
    "driver_ta": (Edge("computed up to the bar", "driver_bar", columns=DRIVER_KEY),),
    "driver_bar": (
        Edge("made of bars of majors", "major_bar", query="majors_of_driver_bar"),
        Edge("made of bars of tokens", "token_bar", query="tokens_of_driver_bar"),
        Edge("made of samples", "sample", query="samples_of_driver_bar"),
    ),
    "token_state": (Edge("evaluated on the indicators", "token_ta", columns=TOKEN_KEY),),
    "token_ta": (Edge("computed up to the bar", "token_bar", columns=TOKEN_KEY),),
    "tag": (Edge("made of the reading", "metadata", query="metadata_of_tag"),),
    "major_bar": (
        Edge("rolled up from", "major_bar", query="majors_rolled_up"),
        Edge("refused rows about it", "quarantine", query="quarantine_of_candle"),
    ),
    "token_bar": (
        Edge("rolled up from", "token_bar", query="tokens_rolled_up"),
        Edge("refused rows about it", "quarantine", query="quarantine_of_candle"),
    ),
    "sample": (Edge("refused rows about it", "quarantine", query="quarantine_of_candle"),),
}
"""What a row was made of."""

DOWN: dict[str, tuple[Edge, ...]] = {
    "major_bar": (
        Edge("longer bars rolled up from it", "major_bar", query="longer_majors"),
        Edge("bars of drivers it stands in", "driver_bar", query="driver_bars_of_major"),
    ),
    "token_bar": (
        Edge("longer bars rolled up from it", "token_bar", query="longer_tokens"),
        Edge("the token's indicators", "token_ta", columns=TOKEN_KEY, is_optional=True),
        Edge("bars of drivers it stands in", "driver_bar", query="driver_bars_of_token"),
    ),
    "sample": (Edge("bars of drivers it stands in", "driver_bar", query="driver_bars_of_sample"),),
    "driver_bar": (Edge("the indicators of the bar", "driver_ta", columns=DRIVER_KEY, is_optional=True),),
    "driver_ta": (Edge("the state of the bar", "driver_state", columns=DRIVER_KEY, is_optional=True),),
    "driver_state": (Edge("actions that saw it", "action", query="actions_of_driver_state"),),
    "token_ta": (Edge("the state of the bar", "token_state", columns=TOKEN_KEY, is_optional=True),),
    "token_state": (Edge("actions decided on it", "action", query="actions_of_token_state"),),
    "action": (Edge("of the trade", "trade", columns=("trade_id",)),),
    "trade": (
        Edge("what learning took of it", "fact", query="facts_of_trade"),
        Edge("lessons whose cell it stands in", "lesson", query="lessons_of_trade"),
    ),
    "lesson": (Edge("overrides made of it", "override", query="overrides_of_lesson"),),
    "override": (Edge("actions it applied to", "action", query="actions_of_override"),),
}
"""What was made of a row."""
