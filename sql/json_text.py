"""JSON as it is stored where its text counts: the same text for equal values, so that two runs can be compared."""

from psycopg.types.json import Json

from domain.portfolio.strict_json import canonical_json


def stored_json(value: object) -> Json:
    """Return a value as a parameter of a statement; a column of type json keeps the canonical text of it.

    Raises
    ------
    ValueError
        When the statement is sent, if a number is NaN or infinite.
    """
    return Json(value, dumps=canonical_json)
