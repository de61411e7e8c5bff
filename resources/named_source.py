"""A source of candles that a deployment brings itself."""

from datetime import datetime

from resources.candle_source import CandleSource
from sql.plugin import fulfilling, plugin_factory

SOURCE_VARIABLE = "LOWCAP_SOURCE"


def open_named_source(name: str, as_of: datetime) -> CandleSource:
    """Open a source by `package.module:factory`, a callable that takes the instant to be as of.

    Raises
    ------
    PluginError
        If it cannot be imported, or what it makes is no source of candles.
    """
    made = plugin_factory(name, variable=SOURCE_VARIABLE)(as_of)
    source: CandleSource = fulfilling(made, CandleSource, variable=SOURCE_VARIABLE)
    return source
