"""`/trades`: open and closed trades with their results; each leads to its own page."""

from starlette.requests import Request
from starlette.responses import Response

from console.pages.asked import asked_of
from console.pages.page_session import reading_page
from console.pages.parameter import MANY
from console.pages.template import page
from console.trades_view import trades_facts

MOST = 100


def trades_page(request: Request) -> Response:
    """Show what `lowcap trades` tells."""
    asked = asked_of(request, "open", "most", "replay")
    is_open_only, most = asked.flag("open"), asked.count("most", default=MOST, most=MANY)
    with reading_page() as connection:
        facts = trades_facts(connection, is_open_only=is_open_only, most=most, replay=asked.text("replay"))
    trades = facts["trades"]
    n_open = sum(trade["is_open"] for trade in trades)
    shown = {"trades": trades, "n_open": n_open, "is_cut": len(trades) - n_open == most, "most": most}
    return page("trades", shown | {"is_open_only": is_open_only, "replay": asked.text("replay")}, kept=asked.kept)
