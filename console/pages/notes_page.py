"""`/notes`: what was written for people of what was learned. A note may say anything: it is shown as text."""

from starlette.requests import Request
from starlette.responses import Response

from console.notes_view import note_lines, notes_facts
from console.pages.asked import asked_of
from console.pages.page_session import reading_page
from console.pages.parameter import KIND
from console.pages.template import page
from domain.learning.research_note import NoteKind


def notes_page(request: Request) -> Response:
    """Show what `lowcap notes` tells."""
    asked = asked_of(request, "day", "kind", "replay")
    day, kind = asked.day(), KIND.read(asked)
    with reading_page() as connection:
        facts = notes_facts(connection, day, kind, asked.text("replay"))
    shown = {
        "notes": [note | {"lines": list(note_lines(note))} for note in facts["notes"]],
        "asked": {"day": asked.text("day"), "kind": asked.text("kind"), "replay": asked.text("replay")},
        "kinds": [each.value for each in NoteKind],
    }
    return page("notes", facts | shown, kept=asked.kept)
