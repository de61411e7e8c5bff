"""Which market the assets read: a folder of real candles, live venues, or the simulated market when none is named."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
from pydantic import SecretStr

from domain.vocabulary.timeframe import Timeframe
from resources.candle_files import CandleFiles
from resources.candle_source import CandleSource
from resources.live_file import read_live_config
from resources.live_registry import OPENED
from resources.named_source import SOURCE_VARIABLE, open_named_source
from resources.simulated_market import SimulatedMarket

FOLDER_VARIABLE = "LOWCAP_CANDLES"
LAYOUT_VARIABLE = "LOWCAP_CANDLES_LAYOUT"
LIVE_VARIABLE = "LOWCAP_LIVE"
START_VARIABLE = "LOWCAP_SIMULATION_START"
FIRST_SIMULATED_DAY = "2025-01-01T00:00:00+00:00"
KEY_VARIABLE = "LOWCAP_COINGECKO_KEY"


class Market(dg.ConfigurableResource):
    """The source of candles, dominance and caps of one deployment.

    `folder` and `live` empty: the environment variables LOWCAP_CANDLES, LOWCAP_LIVE and LOWCAP_SOURCE; those empty as
    well: the simulated market, unless `simulation_allowed` is false. CoinGecko's key is no field: fields are shown in
    the UI.
    """

    folder: str = ""
    layout: str = ""
    live: str = ""
    simulation_allowed: bool = True
    simulation_seed: int = 7
    simulation_minute_days: int = 5
    simulation_hour_days: int = 120
    simulation_lowcaps: int = 60
    simulation_breakouts: int = 168
    simulation_start: str = ""
    """First day of the simulated market. Empty: LOWCAP_SIMULATION_START; that empty too: 2025-01-01. As long as it is
    the same, the same day is the same whenever it is asked for."""

    def source(self, as_of: datetime) -> CandleSource:
        """Open the source; a simulated market ends with the day of `as_of`, a live one is as of that instant.

        Raises
        ------
        dg.Failure
            If two of a folder, live venues and a source of your own are named, or none is and this deployment does not
            simulate.
        ValueError
            If the file of live venues, or the folder, does not declare what it should.
        """
        folder = self.folder or os.environ.get(FOLDER_VARIABLE, "")
        live = self.live or os.environ.get(LIVE_VARIABLE, "")
        own = os.environ.get(SOURCE_VARIABLE, "").strip()
        if own and (folder or live):
            raise dg.Failure(
                f"Two markets: {SOURCE_VARIABLE} names {own}, and {FOLDER_VARIABLE} or {LIVE_VARIABLE} another. "
                "Unset one of them.",
                allow_retries=False,
            )
        if own:
            return open_named_source(own, as_of)
        if folder and live:
            raise dg.Failure(
                f"Two markets: {FOLDER_VARIABLE} names the folder {folder}, {LIVE_VARIABLE} the file {live}. "
                "Unset one of them.",
                allow_retries=False,
            )
        if folder:
            layout = self.layout or os.environ.get(LAYOUT_VARIABLE, "")
            return CandleFiles(Path(folder), Path(layout) if layout else None)
        if live:
            key = os.environ.get(KEY_VARIABLE, "").strip()
            secret = SecretStr(key) if key else None
            return OPENED.market(read_live_config(Path(live), secret, key_variable=KEY_VARIABLE), as_of)
        if not self.simulation_allowed:
            raise dg.Failure(
                f"No candles: set {FOLDER_VARIABLE} to a folder of candle files, or {LIVE_VARIABLE} to a file that "
                "names live venues. This deployment does not simulate.",
                allow_retries=False,
            )
        return SimulatedMarket(
            seed=self.simulation_seed,
            start=self._simulation_start(),
            end=Timeframe.D1.floor(as_of) + timedelta(days=1),
            minute_days=self.simulation_minute_days,
            hour_days=self.simulation_hour_days,
            n_lowcaps=self.simulation_lowcaps,
            n_breakouts=self.simulation_breakouts,
        )

    def _simulation_start(self) -> datetime:
        return datetime.fromisoformat(
            self.simulation_start or os.environ.get(START_VARIABLE, "") or FIRST_SIMULATED_DAY
        )
