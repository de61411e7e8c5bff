"""The 15 channels as a picture: drivers down, horizons across, one coloured cell a state."""

import polars as pl

from domain.vocabulary.driver import DRIVERS
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.uptrend import StateStatus, UptrendFlag
from resources.picture import cell, document, inline_image, text

COLOURS = {"S0": "#c0392b", "S1": "#2980b9", "S2": "#f1c40f", "S3": "#27ae60", "S4": "#bdc3c7"}
ABSENT = "#ecf0f1"
CELL_WIDTH, CELL_HEIGHT, LEFT, TOP = 150, 34, 80, 56


def heat_map(states: pl.DataFrame, *, title: str) -> str:
    """Markdown image of the newest state of each driver and horizon.

    Parameters
    ----------
    states : DataFrame
        Rows of regime.regime_driver_state; the newest of each driver and timeframe is drawn.

    Returns
    -------
    str
        An inline SVG as a data address, under 16 KB. A channel without a row is drawn empty and says so.
    """
    newest = states.sort("timestamp").unique(["driver", "timeframe"], keep="last", maintain_order=True)
    by_channel = {(row["driver"], row["timeframe"]): row for row in newest.iter_rows(named=True)}
    cells = [
        _cell(by_channel.get((driver, horizon.timeframe.value)), column, line)
        for line, driver in enumerate(DRIVERS)
        for column, horizon in enumerate(Horizon)
    ]
    return inline_image(_svg(title, cells), title)


def _svg(title: str, cells: list[str]) -> str:
    width = LEFT + CELL_WIDTH * len(Horizon) + 10
    height = TOP + CELL_HEIGHT * len(DRIVERS) + 10
    heads = [
        text(LEFT + column * CELL_WIDTH + CELL_WIDTH / 2, TOP - 10, f"{horizon.value} ({horizon.timeframe.value})")
        for column, horizon in enumerate(Horizon)
    ]
    names = [text(LEFT - 8, TOP + line * CELL_HEIGHT + 20, driver, anchor="end") for line, driver in enumerate(DRIVERS)]
    body = "".join([text(width / 2, 20, title), *heads, *names, *cells])
    return document(body, width=width, height=height)


def _cell(row: dict[str, object] | None, column: int, line: int) -> str:
    x, y = LEFT + column * CELL_WIDTH, TOP + line * CELL_HEIGHT
    if row is None:
        colour, label = ABSENT, "no bars"
    elif row["status"] == StateStatus.WARMING_UP:
        colour, label = ABSENT, "warming up"
    else:
        flags = [flag.value.replace("_flag", "") for flag in UptrendFlag if row[flag.value]]
        colour, label = COLOURS[str(row["state"])], " ".join([str(row["state"]), *flags])
    box = cell(x, y, CELL_WIDTH - 3, CELL_HEIGHT - 3, colour)
    return box + text(x + CELL_WIDTH / 2, y + 20, label)
