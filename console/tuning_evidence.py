"""What a verdict on a threshold was decided by, out of its stored document; what is no number there is not known."""

from collections.abc import Mapping
from typing import Any

from domain.portfolio.strict_json import StrictJsonError, read_json

SHARES = ("miss", "false_positive")
REPLAYED = ("n", "n_let_in", "n_shut_out", "n_estimated", "rr_let_in", "rr_shut_out", "gain_rr")
LARGEST = 2**53
"""Beyond it an integer is no number of ours, and may be none that can be formatted."""


def evidence_facts(text: str) -> dict[str, Any]:
    """Read the evidence of a verdict.

    Returns
    -------
    dict
        `threshold_base`, `threshold`, `q`, `n_bearing`, `n_new`; `miss` and `false_positive` as counts, rate and
        interval; `replay` of the step that was considered, None where none was; `problem`, None of a document that can
        be read. None for what is not there or is no number.

    >>> evidence_facts('{"threshold": 0.57, "miss": {"n": 33}}')["miss"]["n"]
    33
    """
    try:
        found, problem = _mapping(read_json(text)), None
    except StrictJsonError as error:
        found, problem = {}, str(error)
    replay = found.get("replay")
    return {
        **{name: _number(found.get(name)) for name in ("threshold_base", "threshold", "q")},
        **{name: _count(found.get(name)) for name in ("n_bearing", "n_new")},
        **{name: _share(_mapping(found.get(name))) for name in SHARES},
        "replay": None if replay is None else {name: _number(_mapping(replay).get(name)) for name in REPLAYED},
        "problem": problem,
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _share(found: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: _count(found.get(name)) for name in ("n_hits", "n")}
    return counts | {name: _number(found.get(name)) for name in ("rate", "low", "high")}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST else None


def _number(value: object) -> float | int | None:
    return value if isinstance(value, float) else _count(value)
