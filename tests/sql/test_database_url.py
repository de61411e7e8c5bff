"""Addresses are normalised, reach their drivers whole, and hide their password from print."""

import pytest

from sql.database_url import DatabaseUrl


@pytest.mark.parametrize(
    "pasted",
    [
        "postgres://ann:pw@db:5433/low?sslmode=require",
        "postgresql://ann:pw@db:5433/low?sslmode=require",
        "postgresql+psycopg2://ann:pw@db:5433/low?sslmode=require",
        "postgres+asyncpg://ann:pw@db:5433/low?sslmode=require",
        "  postgres://ann:pw@db:5433/low?sslmode=require\n",
    ],
)
def test_every_spelling_becomes_the_plain_one(pasted: str) -> None:
    url = DatabaseUrl.parse(pasted)

    assert url.libpq() == "postgresql://ann:pw@db:5433/low?sslmode=require"
    assert url.sqlalchemy("psycopg2") == "postgresql+psycopg2://ann:pw@db:5433/low?sslmode=require"


@pytest.mark.parametrize("pasted", ["", "mysql://ann:pw@db/low", "host=db password=pw", "postgresql:/db"])
def test_another_database_is_refused_without_showing_it(pasted: str) -> None:
    with pytest.raises(ValueError, match="Expected a URL like postgresql://") as refusal:
        DatabaseUrl.parse(pasted)

    assert "pw" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ann:s%40cret@db/low",
        "postgresql://ann:s@cret@db/low",
        "postgresql://:secret@/low?host=/run",
        "postgresql://ann@db/low?password=secret&sslmode=require",
    ],
)
def test_printing_hides_the_password(text: str) -> None:
    shown = f"{DatabaseUrl.parse(text)} {DatabaseUrl.parse(text)!r}"

    assert "cret" not in shown
    assert "***" in shown


def test_settings_follow_those_the_url_already_names() -> None:
    url = DatabaseUrl.parse("postgresql://db/low?options=-c%20geqo%3Doff&sslmode=require").with_settings(role="x")

    assert url.libpq() == "postgresql://db/low?sslmode=require&options=-c%20geqo%3Doff%20-c%20role%3Dx"


def test_another_database_keeps_login_and_parameters() -> None:
    url = DatabaseUrl.parse("postgresql://ann:pw@db:5433/low?host=/a/b").with_database("odd name")

    assert url.libpq() == "postgresql://ann:pw@db:5433/odd%20name?host=/a/b"
