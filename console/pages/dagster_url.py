"""Where the Dagster UI is, so that a run of a page leads to it."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from console.session import RefusedError

VARIABLE = "LOWCAP_DAGSTER_URL"
DAGSTER_URL = "http://127.0.0.1:3000"
"""Where `lowcap up` lets it listen unless told otherwise."""


def read_dagster_url(environment: Mapping[str, str]) -> str:
    """Address of the Dagster UI, without a slash at its end.

    >>> read_dagster_url({}), read_dagster_url({"LOWCAP_DAGSTER_URL": "https://dagster.example/ui/"})
    ('http://127.0.0.1:3000', 'https://dagster.example/ui')

    Raises
    ------
    RefusedError
        If the variable holds no address of a web page, or one with a password.
    """
    text = environment.get(VARIABLE) or DAGSTER_URL
    try:
        parts = urlsplit(text)
        is_page = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_page = False
    if not is_page or not text.isprintable() or any(mark in text for mark in " \"'<>?#@"):
        raise RefusedError(
            f"{VARIABLE} must be an address such as {DAGSTER_URL}, without a name, a password or a query"
        )
    return text.rstrip("/")
