"""`/action/ID`: an action from 0.5 to the fill as a waterfall, or a trade with links to its actions."""

from starlette.requests import Request
from starlette.responses import Response

from console.pages.facts import explain_facts
from console.pages.json_api import asked_of
from console.pages.page_session import reading_page
from console.pages.template import page
from console.pages.waterfall import lever_waterfall, size_waterfall
from console.stored_strand import mask_words


def action_page(request: Request) -> Response:
    """Show what `lowcap explain` tells."""
    replay = asked_of(request, "replay").text("replay")
    with reading_page() as connection:
        facts = explain_facts(connection, request.path_params["identity"], replay)
    if facts["explained"] == "trade":
        return page("trade", {"facts": facts, "replay": replay})
    pictures = [lever_waterfall(facts["levers"], lever) for lever in ("a", "e")]
    pictures.append(size_waterfall(facts["sizing"]["steps"]))
    shown = {"facts": facts, "replay": replay, "mask_words": mask_words}
    return page("action", shown | {"pictures": [picture for picture in pictures if picture is not None]})
