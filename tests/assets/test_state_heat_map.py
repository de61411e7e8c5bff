"""The heat map of the driver states: each channel in its place, those without a state said to have none."""

from datetime import UTC, datetime

import polars as pl

from domain.vocabulary.driver import DRIVERS
from domain.vocabulary.uptrend import UptrendFlag
from regime_assets.state_heat_map import ABSENT, COLOURS, heat_map
from tests.inline_picture import SVG, parsed, words


def state(driver: str, timeframe: str, hour: int, **changed: object) -> dict[str, object]:
    row = {"driver": driver, "timeframe": timeframe, "timestamp": datetime(2025, 3, 1, hour, tzinfo=UTC)}
    row |= {"status": "ok", "state": "S1", **{flag.value: False for flag in UptrendFlag}}
    return {**row, **changed}


def test_the_newest_state_of_each_channel_is_drawn_with_its_flags():
    older, newest = state("BTC", "1h", 3), state("BTC", "1h", 4, state="S3", trim_flag=True)
    root = parsed(heat_map(pl.DataFrame([newest, older, state("ALT", "1d", 0, status="warming_up")]), title="Drivers"))

    assert words(root)[0] == "Drivers"
    assert words(root).count("no bars") == 3 * len(DRIVERS) - 2
    assert {"S3 trim", "warming up"} <= set(words(root))
    colours = [cell.attrib["fill"] for cell in root.iter(f"{SVG}rect")]
    assert sorted(set(colours)) == sorted({ABSENT, COLOURS["S3"]})
    assert colours[DRIVERS.index("BTC") * 3 + 1] == COLOURS["S3"]
