"""`lowcap crowding`: where the exposure of open positions stands, and how much a further buy there is held back."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from console.crowding import crowding_facts
from console.learned_row import number, scope_words
from console.printing import print_json, print_table, printable
from console.replay import Replay
from console.session import reading

Facts = Mapping[str, Any]


def crowding(
    rows: Annotated[str | None, typer.Option(metavar="DIMENSION", help="Rows of the grid.")] = None,
    columns: Annotated[str | None, typer.Option(metavar="DIMENSION", help="Columns of the grid.")] = None,
    pattern: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="What would be bought on (default: what nobody holds)")
    ] = None,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many cells of two dimensions at most.")] = 20,
    replay: Replay = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where open positions stand, cell by cell, and the size a further buy there would keep."""
    with reading() as connection:
        asked: dict[str, Any] = {"rows": rows, "columns": columns, "pattern": pattern, "most": most}
        facts = crowding_facts(connection, **asked, replay=replay)
    if as_json:
        print_json(facts)
    else:
        _print(facts)


def _print(facts: Facts) -> None:
    book, rules = facts["book"], facts["rules"]
    for sentence in _sentences(facts):
        typer.echo(printable(sentence))
    if not book["positions"]:
        return
    grid = facts["grid"]
    title = f"Skew, and share of exposure, by {grid['rows']} and {grid['columns']}"
    lines = [
        (row, *(_grid_words(each) for each in cells))
        for row, cells in zip(grid["row_values"], grid["cells"], strict=True)
    ]
    print_table(title, ("", *grid["column_values"]), lines)
    columns = ("where", "positions", "USD", "share", f"skew ({rules['skew_min']:g} to {rules['skew_max']:g})")
    alone = [each for told in facts["dimensions"] if told["is_asked"] for each in told["values"]]
    print_table("One dimension that neighbours are looked for by", columns, _rows(alone))
    print_table("The largest cells of two of them", columns, _rows(facts["pairs"]))
    others = [each for told in facts["dimensions"] if not told["is_asked"] for each in told["values"]]
    print_table("The other dimensions: they move no skew", columns, _rows(others))


def _sentences(facts: Facts) -> Iterable[str]:
    book, rules = facts["book"], facts["rules"]
    if not book["positions"]:
        yield f"Nothing is held: every buy keeps {rules['empty_book_skew']:g} of its size."
    else:
        since = "" if book["newest_event_at"] is None else f", as of {book['newest_event_at'][:16]}Z"
        yield f"{book['positions']} positions hold {book['exposure_usd']:,.2f} USD{since}."
        on = "a pattern nobody holds" if facts["pattern"] is None else facts["pattern"]
        yield (
            f"A further buy, on {on}, is multiplied by {rules['skew_min']:g} where all of it stands near and by"
            f" {rules['skew_max']:g} where nothing does. Neighbours share {mask_words(rules['masks'])}."
        )
    yield from doubts(facts)


def doubts(facts: Facts) -> list[str]:
    """Say what the map leaves out."""
    book, factor = facts["book"], facts["rules"]["watchlist_factor"]
    said = []
    if book["unreadable"]:
        said.append(f"{book['unreadable']} positions are left out: their scope cannot be read.")
    if book["unpriced"]:
        said.append(f"{book['unpriced']} positions have no last price and count as nothing.")
    if factor:
        said.append(f"Watched tokens count {factor:g} of what they are meant to take; they are not in this map.")
    return said


def mask_words(masks: Iterable[Iterable[str]]) -> str:
    """Say which dimensions make neighbours.

    >>> mask_words([["mcap_bucket"], ["mcap_bucket", "timeframe"]])
    'mcap_bucket; or mcap_bucket and timeframe'
    """
    return "; or ".join(" and ".join(mask) for mask in masks)


def skew_words(cell: Facts) -> str:
    """Say the skew of a cell, and between which ones it is the mean.

    >>> skew_words({"skew": 0.5, "skew_low": 0.4, "skew_high": 0.6})
    '0.50 (0.40 to 0.60)'
    >>> skew_words({"skew": 0.5, "skew_low": 0.5, "skew_high": 0.5})
    '0.50'
    """
    is_one = f"{cell['skew_low']:.2f}" == f"{cell['skew_high']:.2f}"
    return f"{cell['skew']:.2f}" + ("" if is_one else f" ({cell['skew_low']:.2f} to {cell['skew_high']:.2f})")


def _grid_words(cell: Facts) -> str:
    return f"{cell['skew']:.2f}  {number(cell['share_frac'], '.0%') if cell['positions'] else '-'}"


def _rows(cells: Iterable[Facts]) -> list[tuple[str, ...]]:
    return [
        (
            *(scope_words(each["scope"]), str(each["positions"]), f"{each['exposure_usd']:,.2f}"),
            *(number(each["share_frac"], ".1%"), skew_words(each)),
        )
        for each in cells
    ]
