"""Which venue a process trades on: the one on paper, or one that its deployment names."""

from collections.abc import Callable

from domain.config.pm_config import PmConfig
from pm_runtime.paper_venue import PAPER, open_paper_venue
from pm_runtime.settings import VENUE_VARIABLE
from pm_runtime.venue import Venue
from sql.plugin import PluginError, fulfilling, plugin_factory


def open_named_venue(name: str) -> Callable[[PmConfig], Venue]:
    """Return what makes the venue of each tick from the configuration in force.

    Parameters
    ----------
    name : str
        `package.module:factory`, a callable that takes a `PmConfig` and returns a `Venue`; empty is the venue on
        paper. It is called once here, with the defaults, so that a mistake shows at the start.

    Raises
    ------
    PluginError
        If it cannot be imported, what it makes is no venue, or has the name of the venue on paper: orders know their
        venue by its name.
    """
    if not name:
        return open_paper_venue
    factory = plugin_factory(name, variable=VENUE_VARIABLE)

    def open_venue(config: PmConfig) -> Venue:
        made: Venue = fulfilling(factory(config), Venue, variable=VENUE_VARIABLE)
        return made

    if open_venue(PmConfig()).name == PAPER:
        raise PluginError(f"{VENUE_VARIABLE}: {name} calls itself {PAPER!r}, the name of the venue on paper")
    return open_venue
