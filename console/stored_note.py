"""A stored note of the research layer as facts: text is text, whatever it says, and what is not as expected is told."""

from collections.abc import Mapping
from typing import Any

from domain.portfolio.strict_json import StrictJsonError, read_json

Facts = Mapping[str, Any]

TEMPLATE_MODEL = "template"
"""Who wrote what no language model did."""

CLAIM = ("pattern_key", "action_category", "expected_sign")


def note_facts(row: Facts) -> dict[str, Any]:
    """Read a row of `notes_told`.

    Returns
    -------
    dict
        Columns of the row; `is_template`; `made_at` and `number`, None where not known; `is_carried` from an earlier
        day; `note`, `refusal` and `test_results` as objects, None where there is none; `claim`, the slice of a
        hypothesis, None where there is none that can be read; `problem`, what cannot be read.
    """
    problems: list[str] = []
    content, results = (_document(row[name], name, problems) for name in ("content", "test_results"))
    content = content or {}
    note, refusal = (_object(content.get(name)) for name in ("note", "refusal"))
    if not problems and note is None and refusal is None:
        problems.append("it is neither a note nor a refusal")
    made_at, number = content.get("made_at"), content.get("number")
    return {
        **{name: row[name] for name in ("id", "kind", "level", "status", "model_id", "run_id", "code_version")},
        "is_template": row["model_id"] == TEMPLATE_MODEL,
        "made_at": made_at if isinstance(made_at, str) else None,
        "number": number if isinstance(number, int) else None,
        "is_carried": "first_id" in content,
        **{"note": note, "refusal": refusal, "claim": _claim(note), "test_results": results},
        "problem": "; ".join(problems) or None,
    }


def _document(text: str | None, name: str, problems: list[str]) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        return _object(read_json(text))
    except StrictJsonError as error:
        problems.append(f"{name}: {error}")
        return None


def _object(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _claim(note: Facts | None) -> dict[str, Any] | None:
    """Slice a hypothesis is about; None of another note, and of what is no slice."""
    test = _object(note.get("test")) if note else None
    if test is None or not all(isinstance(test.get(name), str) for name in CLAIM):
        return None
    scope = _object(test.get("scope"))
    if scope is None or not all(isinstance(value, str) for value in scope.values()):
        return None
    return {name: test[name] for name in CLAIM} | {"scope": scope}
