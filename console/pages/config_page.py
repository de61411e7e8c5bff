"""`/config`: every key with its value in force, or in a version, and where each comes from."""

from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response

from console.config_commands import config_facts, shown_value
from console.pages.asked import asked_of
from console.pages.page_session import reading_page
from console.pages.parameter import PREFIX, VERSION
from console.pages.template import page


def config_page(request: Request) -> Response:
    """Show what `lowcap config show` tells, section by section; values that are no default stand out."""
    asked = asked_of(request, PREFIX.name, VERSION.name)
    prefix, version = PREFIX.read(asked) or "", VERSION.read(asked)
    with reading_page() as connection:
        facts = config_facts(connection, prefix, version)
    rows = [
        {"key": key, "value": shown_value(value), "source": facts["sources"][key]}
        for key, value in facts["values"].items()
    ]
    sections = [(name, list(group)) for name, group in groupby(rows, key=lambda row: str(row["key"]).partition(".")[0])]
    n_given = sum(row["source"]["from"] != "default" for row in rows)
    shown = {"prefix": prefix, "version": version}
    return page("config", {"config": facts, "sections": sections, "n_given": n_given, "asked": shown})
