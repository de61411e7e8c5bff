"""What no name, id, scope, day or instant is, and what somebody may try in its place."""

HOSTILE: dict[str, str] = {
    "injection": "'; DROP TABLE pm.pm_order; --",
    "injection_in_a_comment": "x'/**/OR/**/1=1--",
    "double_quote": '"; DROP SCHEMA pm CASCADE; --',
    "dollar_quote": "$$; DROP TABLE pm.ad_strands; $$",
    "percent": "%",
    "percent_s": "%s %(day)s %b",
    "underscore": "_",
    "nul": "a\x00b",
    "json_operators": "{} ?| array['a'] @> '{}' #>> '{a}' || '{}'",
    "parameter": "$1",
    "braces": "{}",
    "braces_of_format": "{0.__class__} {identity}",
    "template": "{{7*7}} {% raw %}",
    "very_long": "x" * 5000,
    "surrogate": "a\ud800b",
    "undecodable": "a\udcffb",
    "turned_around": "abc\u202edef",
    "lines": "a\nb\r\nERROR c",
    "escape_codes": "\x1b[31mred\x1b[0m\x07\x9b2J",
    "path": "../../etc/passwd",
    "element": "<script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)" x="',
    "address": "javascript:alert(1)",
    "formula": "=cmd|' /C calc'!A0",
    "no_day": "9999-99-99",
    "first_day": "0001-01-01",
    "last_day": "9999-12-31",
    "first_instant": "0001-01-01T00:00:00+14:00",
    "last_instant": "9999-12-31T23:59:59-14:00",
    "far_year": "+999999-01-01",
    "negative": "-1",
    "too_large": str(2**63),
    "huge": "9" * 400,
    "not_a_number": "NaN",
    "infinite": "-inf",
    "true": "true",
    "empty": "",
    "space": " ",
    "other_digits": "\u0663",
    "rich_markup": "[red]x[/red][link=http://x]y[/link]",
    "scope": "chain=base,chain=solana",
    "scope_of_json": '{"chain": {"$ne": null}}',
    "home": "~root",
    "device": "/dev/null",
}
"""By what they try."""

CORE = ("injection", "undecodable", "escape_codes", "first_instant", "too_large")
"""What is tried at every place; of the rest each place meets a share."""
STRIDE = 26


def values_at(place: int, *without: str) -> dict[str, str]:
    """Values for one of many places: the core, and every `STRIDE`-th of the rest, another share at the next place."""
    rest = [name for name in HOSTILE if name not in CORE]
    chosen = (*CORE, *rest[place % STRIDE :: STRIDE])
    return {name: HOSTILE[name] for name in chosen if name not in without}
