"""A lineage as an indented tree in words: what each row says, what made it, and why the next one stands below it."""

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from console.lineage_words import ask_of, words_of
from console.printing import printable

Facts = Mapping[str, Any]
INDENT = "  "


def print_lineage(facts: Facts) -> None:
    """Print the document of a walk."""
    for line in lines(facts["root"]):
        typer.echo(printable(line))
    if facts["is_cut_at"] is not None:
        typer.echo(f"Cut at {facts['is_cut_at']} rows; begin further along, or with a smaller --most.")


def lines(node: Facts, depth: int = 0, beside: str = "") -> Iterator[str]:
    """Lines of a row and of all that stands below it."""
    margin = INDENT * depth
    key = ", ".join(str(value) for value in node["key"].values())
    if node.get("is_told_elsewhere"):
        yield f"{margin}{_named(node)} {key}{beside}: told elsewhere"
        return
    if "row" not in node:
        yield f"{margin}{_named(node)} {key}{beside}: not there (any more)"
        return
    yield f"{margin}{words_of(node['kind'], node['row'] | node['key'])}{beside}"
    made = _made(node["made_by"])
    if made:
        yield f"{margin}{INDENT}{made}"
    yield from (f"{margin}{INDENT}! {doubt}" for doubt in node.get("doubts", ()))
    if "links" not in node:
        asked = ask_of(node["kind"], node["row"] | node["key"])
        if asked is not None:
            yield f"{margin}{INDENT}go on: {asked}"
    for link in node.get("links", ()):
        yield f"{margin}{INDENT}{link['link']}:{count_words(link)}"
        for found in link["found"]:
            yield from lines(found, depth + 2, beside_words(found.get("beside", {})))


def _named(node: Facts) -> str:
    return str(node["kind"]).replace("_", " ")


def count_words(link: Facts) -> str:
    """Say how many rows a link leads to, where it is not one, and how many of them are shown."""
    if link["shown"] < link["total"]:
        return f" {link['shown']} of {link['total']} shown (--most)"
    return "" if link["total"] == 1 else f" {link['total']}"


def beside_words(facts: Facts) -> str:
    """Say what the link itself knows: which channel, which part."""
    if "channel" in facts:
        return f" [{facts['channel']} {facts['status']}: A {facts['a'] or 0:+.4f}, E {facts['e'] or 0:+.4f}]"
    if "is_of_the_day" in facts:
        return "" if facts["is_of_the_day"] else " [as it was last reproduced: the override's numbers are of this day]"
    if "weight_share" in facts:
        return f" [x {facts['multiplier']:.6g}, mask weight {facts['mask_weight']:.6g}]"
    if facts.get("took_part") == "flat":
        return " [did not trade: its last close, held flat]"
    if facts.get("took_part") == "reference":
        return " [its next bar was measured from this close]"
    if facts.get("score_timestamp"):
        return f" [by the score of {facts['bucket']} {facts['score_timeframe']} {facts['score_timestamp']}]"
    return ""


def _made(made: Facts) -> str:
    said = []
    if "run_id" in made:
        said.append(f"run {made.get('run_page', made['run_id'])}")
    said += [
        f"{word} {made[name]}"
        for name, word in (("code_version", "code"), ("config_version", "configuration"))
        if name in made
    ]
    return f"made by {', '.join(said)}" if said else ""
