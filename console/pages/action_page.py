"""`/action/ID`, `/trade/ID`: an action from 0.5 to the fill as a waterfall, or a trade with links to its actions."""

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from console.explain_view import explain_facts
from console.pages.asked import asked_of
from console.pages.page_session import reading_page
from console.pages.template import page
from console.stored_strand import mask_words
from console.waterfall import waterfall
from console.waterfall_svg import draw_waterfall, picture_title


def action_page(request: Request) -> Response:
    """Show what `lowcap explain` tells."""
    asked = asked_of(request, "replay")
    replay = asked.text("replay")
    with reading_page() as connection:
        facts = explain_facts(connection, request.path_params["identity"], replay)
    if facts["explained"] == "trade":
        return page("trade", {"facts": facts, "replay": replay}, kept=asked.kept)
    picture = Markup(draw_waterfall(waterfall(facts), picture_title(facts)))  # escaped where it is drawn
    shown = {"facts": facts, "replay": replay, "mask_words": mask_words, "picture": picture}
    return page("action", shown, kept=asked.kept)
