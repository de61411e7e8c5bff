"""The report of a replay for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

SPREADS = (("R/R", "rr", 1.0), ("ROI %", "roi_frac", 100.0), ("held h", "held_hours", 1.0))
QUANTILES = ("q05", "q25", "q50", "q75", "q95")
UNTOUCHED = "-"


def print_report(facts: Mapping[str, Any], console: Console) -> None:
    """Print a report."""
    for line in _heading(facts):
        console.print(Text(line))
    _print_spreads(facts, console)
    _print_groups(facts, console)
    _print_orders(facts, console)


def _heading(facts: Mapping[str, Any]) -> list[str]:
    asked, equity, trades, run = facts["replay"], facts["equity"], facts["trades"], facts["run"]
    exposure = equity["exposure_frac"]
    return [
        f"{asked['schema']}: {asked['from']} .. {asked['to']}, {' '.join(asked['timeframes'])}, "
        f"{asked['tokens']} tokens, {asked['positions']} positions, overrides {asked['overrides']}",
        f"{facts['ticks']['count']:,} ticks, {run['ticks_made_now']:,} of them now in {run['seconds']:.1f} s"
        + (f" ({run['ticks_per_second']:.1f} a second)" if run["ticks_made_now"] else ""),
        f"equity {equity['start_usd']:,.2f} -> {equity['end_usd']:,.2f} USD ({100 * equity['return_frac']:+.2f} %), "
        f"deepest fall {_percent(equity['max_drawdown_frac'])}; held on average {_percent(exposure['mean'])}, "
        f"at most {_percent(exposure['max'])}",
        f"{trades['trades']:,} trades closed, {_percent(trades['win_rate'])} won, PnL {trades['pnl_usd']:+,.2f} USD; "
        f"{facts['open']['trades']} open, {facts['open']['holdings']} of them holding "
        f"{facts['open']['held_usd']:,.2f} USD",
        f"{facts['fills']['count']:,} fills, turnover {facts['fills']['turnover_usd']:,.2f} USD, "
        f"fees {facts['fills']['fees_usd']:,.2f} USD",
        f"config version {asked['config_version']}, code {asked['code_version']}",
        f"history {asked['data_hash']}",
        f"rows    {asked['rows_hash']}",
    ]


def _print_spreads(facts: Mapping[str, Any], console: Console) -> None:
    rows = []
    for label, name, factor in SPREADS:
        found = facts["trades"][name]
        rows.append([label, f"{found['n']:,}", *(_number(found[each], factor) for each in ("mean", *QUANTILES))])
    _print_table(console, "Trades", ["", "n", "mean", "5 %", "25 %", "median", "75 %", "95 %"], rows)


def _print_groups(facts: Mapping[str, Any], console: Console) -> None:
    groups = {**facts["by_timeframe"], **facts["by_bucket"]}
    rows = [
        [
            name,
            f"{found['trades']:,}",
            _percent(found["win_rate"]),
            f"{found['pnl_usd']:+,.2f}",
            f"{found['fees_usd']:,.2f}",
            _number(found["rr"]["q50"]),
            _number(found["rr"]["mean"]),
            _number(found["roi_frac"]["q50"], 100.0),
        ]
        for name, found in groups.items()
    ]
    columns = ["of", "trades", "won", "PnL USD", "fees USD", "R/R median", "R/R mean", "ROI % median"]
    _print_table(console, "By timeframe and bucket", columns, rows)


def _print_orders(facts: Mapping[str, Any], console: Console) -> None:
    statuses = sorted({each["status"] for each in facts["orders"]} | {"filled", "rejected", "expired"})
    categories = sorted({each["category"] for each in facts["orders"]})
    counts = {(each["category"], each["status"]): each["orders"] for each in facts["orders"]}
    rows = [[name, *(f"{counts.get((name, status), 0):,}" for status in statuses)] for name in categories]
    _print_table(console, "Orders", ["", *statuses], rows)


def _print_table(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=box.SIMPLE, title=title, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _percent(frac: float | None) -> str:
    return UNTOUCHED if frac is None else f"{100 * frac:.1f} %"


def _number(value: float | None, factor: float = 1.0) -> str:
    return UNTOUCHED if value is None else f"{factor * value:,.2f}"
