"""How a deployment groups tokens: by cap, or by a grouping of its own."""

from collections.abc import Mapping

from domain.regime.grouping import CapGrouping, Grouping
from sql.plugin import fulfilling, plugin_factory

GROUPING_VARIABLE = "LOWCAP_GROUPING"


def read_grouping(environment: Mapping[str, str]) -> Grouping:
    """Open the grouping that is named, by a callable without arguments; by default the one by cap.

    Raises
    ------
    PluginError
        If it cannot be imported, or what it makes is no grouping.
    """
    name = environment.get(GROUPING_VARIABLE, "").strip()
    if not name:
        return CapGrouping()
    made: Grouping = fulfilling(
        plugin_factory(name, variable=GROUPING_VARIABLE)(), Grouping, variable=GROUPING_VARIABLE
    )
    return made
