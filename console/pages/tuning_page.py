"""`/tuning`: what windows of opportunity say of the thresholds of the buy rules: verdicts, or rates with intervals."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from console.pages.asked import asked_of
from console.pages.page_session import reading_page
from console.pages.template import page
from console.tuning_view import RATES, tuning_facts

WIDTH = 160.0
"""Of the picture of a share, pixels; all of it is one."""


def tuning_page(request: Request) -> Response:
    """Show what `lowcap tuning` tells."""
    asked = asked_of(request, "day", "rates", "replay")
    day, is_about_rates = asked.day(), asked.flag("rates")
    with reading_page() as connection:
        facts = tuning_facts(connection, day, is_about_rates=is_about_rates, replay=asked.text("replay"))
    rows = [_with_rates(row) for row in facts["rates"]] if is_about_rates else facts["thresholds"]
    shown = {
        "families": [(family, list(group)) for family, group in groupby(rows, key=lambda row: str(row["family"]))],
        "windows_of": {each["family"]: each for each in facts["windows"]},
        "is_about_rates": is_about_rates,
        "rate_words": [words for words, _, _ in RATES.values()],
        "asked": {"day": asked.text("day"), "replay": asked.text("replay")},
        "width": WIDTH,
    }
    return page("tuning", facts | shown, kept=asked.kept)


def _with_rates(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a cell its four rates in the shape the shares of a verdict have."""
    return {**row, "shares": list(_shares(row))}


def _shares(row: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for name, (_, hits, n) in RATES.items():
        yield {
            **{"n_hits": row[hits], "n": row[n], "rate": row[name]},
            **{"low": row[f"{name}_low"], "high": row[f"{name}_high"]},
        }
