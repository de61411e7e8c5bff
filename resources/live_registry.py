"""The live markets this process has opened.

Each table of each run asks for the market anew, but a venue counts what the machine asks: rates, and what is
remembered between loads, belong to the process. Other processes count for themselves; they meet in the venue's 429.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from resources.live_config import LiveConfig
from resources.live_market import LiveMarket, open_live_market


@dataclass
class LiveRegistry:
    """One open market a configuration; one whose configuration is asked for no more is forgotten with the next."""

    _opened: tuple[LiveConfig, LiveMarket] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def market(self, config: LiveConfig, as_of: datetime) -> LiveMarket:
        """View the market of a configuration at an instant; its counts begin at zero. Raises as `open_live_market`."""
        with self._lock:
            if self._opened is None or self._opened[0] != config:
                self._opened = (config, open_live_market(config, lambda: as_of))
            return self._opened[1].at(as_of)


OPENED = LiveRegistry()
"""Of this process; nothing is open until somebody asks."""
