"""`lowcap watch`: put tokens on the watchlist, alone or from a file, and stop or put away their positions."""

import getpass
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from console.printing import print_json, print_table, printable
from console.session import REFUSED, REFUSED_IN_PART, RefusedError, reading, writing
from console.watch_file import RefusedRow, RequestedRow, read_watch_file
from console.watch_request import Watched, read_intent, read_request, store_request, wanted_timeframes
from console.watch_view import POSITION_COLUMNS, cells, facts, moved_facts, was_there
from domain.config.pm_config import PmConfig
from domain.portfolio.lifecycle import LifecycleError, PositionStatus, archive, pause, resume
from domain.vocabulary.timeframe import Timeframe
from sql.pm_config import read_pm_config
from sql.watched_position import WatchedPosition, read_watchlist, set_position_status

watch_app = typer.Typer(no_args_is_help=True, help="Put tokens on the watchlist, and stop or put away their positions.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Author = Annotated[str, typer.Option(help="Who approves. (default: your login)")]
Mover = Annotated[str, typer.Option("--author", help="Who moves it; it is kept. (default: your login)")]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
Token = Annotated[str, typer.Argument(metavar="TOKEN", help="Contract, or the ticker where only one token has it.")]
Chain = Annotated[str | None, typer.Option(help="Only on this chain.")]
Timeframes = Annotated[
    list[Timeframe] | None, typer.Option("--timeframe", help="Execution timeframe; may be repeated (default: all).")
]


@watch_app.command("add")
def add(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Contract, or the symbol where the venue has none.")],
    chain: Annotated[str, typer.Option(help="Chain or venue it lives on.")],
    ticker: Annotated[str, typer.Option(help="Symbol for people.")],
    curator: Annotated[str, typer.Option(help="Who recommended it.")] = "",
    timeframe: Timeframes = None,
    allocation_pct: Annotated[str, typer.Option(metavar="PERCENT", help="Share of the wallet it may take.")] = "",
    intent: Annotated[
        list[str] | None, typer.Option(metavar="CHANNEL=SCORE", help="hi_buy=0.5 and the like; may be repeated.")
    ] = None,
    intent_word: Annotated[str, typer.Option(metavar="WORD", help="Intent as a word, for scopes.")] = "",
    age_days: Annotated[str, typer.Option(metavar="NUMBER", help="Age of the token, days.")] = "",
    volume_usd: Annotated[str, typer.Option(metavar="NUMBER", help="Volume of 24 hours, USD.")] = "",
    market_cap_usd: Annotated[str, typer.Option(metavar="NUMBER", help="Market cap, USD.")] = "",
    mapping_confidence: Annotated[
        str, typer.Option(metavar="NUMBER", help="That contract and ticker agree, 0..1.")
    ] = "",
    author: Author = "",
    as_json: AsJson = False,
) -> None:
    """Watch a token, one position a timeframe. Doing it again changes nothing."""
    with writing() as connection:
        given = {
            **{"token_contract": token, "chain": chain, "ticker": ticker, "curator": curator},
            **{"timeframes": " ".join(timeframe or ()), "allocation_pct": allocation_pct, "intent": intent_word},
            **{"age_days": age_days, "volume_usd": volume_usd, "market_cap_usd": market_cap_usd},
            **{"mapping_confidence": mapping_confidence, **read_intent(intent)},
        }
        config = read_pm_config(connection).config
        watched = store_request(connection, read_request(given), author=author or getpass.getuser(), config=config)
    if as_json:
        print_json({"positions": [facts(row, watched) for row in watched.positions]})
        return
    columns = (*POSITION_COLUMNS, "")
    cells_of = [
        (*cells(row), "was there, left as it is" if was_there(row, watched) else "new") for row in watched.positions
    ]
    print_table(f"{ticker} on {chain}", columns, cells_of)


@watch_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Its first line names the columns.")],
    author: Author = "",
    as_json: AsJson = False,
) -> None:
    """Watch the tokens of a file. Rows that cannot be right are refused and told, the others are stored."""
    with writing() as connection:
        rows = read_watch_file(file)
        config = read_pm_config(connection).config
        stored, refused = _store_all(connection, rows, author=author or getpass.getuser(), config=config)
    _print_import(stored, refused, as_json=as_json)
    if refused:
        raise typer.Exit(REFUSED_IN_PART if stored else REFUSED)


@watch_app.command("list")
def list_(
    status: Annotated[PositionStatus | None, typer.Option(help="Only positions of this status.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show every position: token, timeframe, where it stands in its life, and who approved it."""
    with reading() as connection:
        rows = [row for row in read_watchlist(connection) if status in (None, row.status)]
    if as_json:
        print_json({"positions": [facts(row) for row in rows]})
        return
    print_table(f"{len(rows)} positions", POSITION_COLUMNS, [cells(row) for row in rows])


@watch_app.command("pause")
def pause_(
    token: Token,
    reason: Reason,
    chain: Chain = None,
    timeframe: Timeframes = None,
    author: Mover = "",
    as_json: AsJson = False,
) -> None:
    """Stop buying; trims and exits go on."""
    _move(token, chain, timeframe, lambda row: pause(row.status), by=(author, reason), as_json=as_json)


@watch_app.command("resume")
def resume_(
    token: Token,
    reason: Reason,
    chain: Chain = None,
    timeframe: Timeframes = None,
    author: Mover = "",
    as_json: AsJson = False,
) -> None:
    """Let paused or archived positions go on."""
    _move(token, chain, timeframe, _resumed, by=(author, reason), as_json=as_json)


@watch_app.command("archive")
def archive_(
    token: Token,
    reason: Reason,
    chain: Chain = None,
    timeframe: Timeframes = None,
    author: Mover = "",
    as_json: AsJson = False,
) -> None:
    """Put positions away that hold nothing."""
    by = author, reason
    _move(token, chain, timeframe, lambda row: archive(row.status, has_trade=row.has_trade), by=by, as_json=as_json)


def _resumed(row: WatchedPosition) -> PositionStatus:
    """Status after a resumption; one that is not stopped goes on as it does."""
    if row.status not in (PositionStatus.PAUSED, PositionStatus.ARCHIVED):
        return row.status
    return resume(row.status, has_trade=row.has_trade)


def _move(
    token: str,
    chain: str | None,
    timeframes: Sequence[Timeframe] | None,
    moved: Callable[[WatchedPosition], PositionStatus],
    *,
    by: tuple[str, str],
    as_json: bool,
) -> None:
    """Move the positions of a token that may be, and say of each what was done; refused ones decide the exit code.

    by: author and reason, which stand beside each change.
    """
    told: list[tuple[WatchedPosition, PositionStatus, str]] = []
    author, reason = by[0] or getpass.getuser(), by[1]
    with writing() as connection, connection.transaction():
        if not author.strip() or not reason.strip():
            raise RefusedError("A position is moved by somebody, for a reason: --author or --reason was empty")
        for row in _named(read_watchlist(connection), token, chain, timeframes):
            try:
                status = moved(row)
            except LifecycleError as error:
                told.append((row, row.status, str(error)))
                continue
            if status is not row.status:
                set_position_status(connection, row, status, author=author, reason=reason)
            told.append((row, status, ""))
    refused = [problem for _, _, problem in told if problem]
    if as_json:
        print_json({"positions": [moved_facts(*each) for each in told]})
    else:
        rows = [(*cells(row)[:4], row.status.value, now.value, problem) for row, now, problem in told]
        print_table(token, (*POSITION_COLUMNS[:4], "was", "is", "refused"), rows)
    if refused:
        raise typer.Exit(REFUSED if len(refused) == len(told) else REFUSED_IN_PART)


def _named(
    rows: Iterable[WatchedPosition], token: str, chain: str | None, timeframes: Sequence[Timeframe] | None
) -> list[WatchedPosition]:
    """Positions of the one token that is meant, by its contract or else by its ticker."""
    rows = [row for row in rows if chain in (None, row.chain)]
    meant = [row for row in rows if row.token_contract == token]
    meant = meant or [row for row in rows if row.token_ticker.casefold() == token.casefold()]
    tokens = sorted({(row.token_contract, row.chain) for row in meant})
    if not tokens:
        raise RefusedError(f"No position of {token!r}{f' on {chain!r}' if chain else ''}; see: lowcap watch list")
    if len(tokens) > 1:
        found = ", ".join(f"{contract} on {where}" for contract, where in tokens)
        raise RefusedError(f"{token!r} may be {found}: name the contract, and --chain")
    wanted = [row for row in meant if not timeframes or row.timeframe in timeframes]
    if not wanted:
        raise RefusedError(f"{token!r} has positions on {', '.join(row.timeframe for row in meant)} only")
    return wanted


def _store_all(
    connection: psycopg.Connection, rows: Sequence[RequestedRow | RefusedRow], *, author: str, config: PmConfig
) -> tuple[list[Watched], list[RefusedRow]]:
    """Store the rows that can be in one transaction; a token and timeframe counts where it is named first."""
    stored, refused = [], []
    first_named: dict[tuple[str, str, Timeframe], int] = {}
    with connection.transaction():
        for row in rows:
            if isinstance(row, RefusedRow):
                refused.append(row)
                continue
            request = row.request
            keys = [(request.token_contract, request.chain, each) for each in wanted_timeframes(request, config)]
            named = [(key, first_named[key]) for key in keys if key in first_named]
            try:
                if named:
                    raise RefusedError(f"{' '.join(named[0][0])} stands on line {named[0][1]} already")
                stored.append(store_request(connection, request, author=author, config=config))
            except RefusedError as error:
                refused.append(RefusedRow(row.line, str(error)))
            else:
                first_named |= dict.fromkeys(keys, row.line)
    return stored, refused


def _print_import(stored: Sequence[Watched], refused: Sequence[RefusedRow], *, as_json: bool) -> None:
    positions = sum(len(each.positions) for each in stored)
    were_there = sum(len(each.were_there) for each in stored)
    if as_json:
        facts: dict[str, Any] = {"tokens": len(stored), "positions": positions, "were_there": were_there}
        print_json(facts | {"refused": [{"line": row.line, "reason": row.reason} for row in refused]})
        return
    typer.echo(
        f"{len(stored)} tokens, {positions} positions, {were_there} of which were there and are left as they are."
    )
    for row in refused:
        typer.echo(printable(f"line {row.line} refused: {row.reason}"), err=True)
