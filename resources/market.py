"""Which market the assets read: a folder of real candles, or the simulated market when none is named."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg

from domain.vocabulary.timeframe import Timeframe
from resources.candle_files import CandleFiles
from resources.candle_source import CandleSource
from resources.simulated_market import SimulatedMarket

FOLDER_VARIABLE = "LOWCAP_CANDLES"
LAYOUT_VARIABLE = "LOWCAP_CANDLES_LAYOUT"


class Market(dg.ConfigurableResource):
    """The source of candles and dominance of one deployment.

    `folder` empty: the environment variable LOWCAP_CANDLES; that empty as well: the simulated market, unless
    `simulation_allowed` is false.
    """

    folder: str = ""
    layout: str = ""
    simulation_allowed: bool = True
    simulation_seed: int = 7
    simulation_minute_days: int = 8
    simulation_hour_days: int = 120
    simulation_lowcaps: int = 40
    simulation_start: str = "2025-01-01T00:00:00+00:00"
    """First day of the simulated market; a fixed one, so that the same day is the same whenever it is asked for."""

    def source(self, as_of: datetime) -> CandleSource:
        """Open the source; a simulated market ends with the day of `as_of`.

        Raises
        ------
        dg.Failure
            If no folder is named and this deployment does not simulate.
        """
        folder = self.folder or os.environ.get(FOLDER_VARIABLE, "")
        if folder:
            layout = self.layout or os.environ.get(LAYOUT_VARIABLE, "")
            return CandleFiles(Path(folder), Path(layout) if layout else None)
        if not self.simulation_allowed:
            raise dg.Failure(
                f"No candles: set {FOLDER_VARIABLE} to a folder of candle files. This deployment does not simulate.",
                allow_retries=False,
            )
        return SimulatedMarket(
            seed=self.simulation_seed,
            start=datetime.fromisoformat(self.simulation_start),
            end=Timeframe.D1.floor(as_of) + timedelta(days=1),
            minute_days=self.simulation_minute_days,
            hour_days=self.simulation_hour_days,
            n_lowcaps=self.simulation_lowcaps,
        )
