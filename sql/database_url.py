"""The address of a database, in the spellings its drivers want, never showing its password by accident."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote

SqlalchemyDriver = Literal["psycopg", "psycopg2"]

_SCHEME = re.compile(r"^(?:postgres|postgresql)(?:\+\w+)?://")
_PASSWORD_IN_AUTHORITY = re.compile(r"(://[^/?#@:]*):[^/?#]*@")
_PASSWORD_IN_QUERY = re.compile(r"([?&](?:password|sslpassword)=)[^&]*")


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A libpq URI; printing it hides the password.

    >>> DatabaseUrl.parse("postgres://ann:secret@db.example:5433/lowcap")
    DatabaseUrl('postgresql://ann:***@db.example:5433/lowcap')
    """

    _uri: str

    @classmethod
    def parse(cls, text: str) -> "DatabaseUrl":
        """Normalise what people paste: `postgres://` and a SQLAlchemy driver become plain `postgresql://`.

        Raises
        ------
        ValueError
            If it is not the URL of a Postgres database.
        """
        text = text.strip()
        scheme = _SCHEME.match(text)
        if scheme is None:
            shown = text.partition("://")[0] if "://" in text else "a text without ://"
            raise ValueError(f"Expected a URL like postgresql://user:password@host:5432/database, was {shown}")
        return cls("postgresql://" + text[scheme.end() :])

    def libpq(self) -> str:
        """URI for psycopg and ADBC, password included."""
        return self._uri

    def sqlalchemy(self, driver: SqlalchemyDriver = "psycopg") -> str:
        """URL for SQLAlchemy, password included; the driver is named because its default differs by version."""
        return self._uri.replace("postgresql://", f"postgresql+{driver}://", 1)

    def with_database(self, name: str) -> "DatabaseUrl":
        """Return the same server's database `name`."""
        address, mark, parameters = self._uri.partition("?")
        authority = address.removeprefix("postgresql://").partition("/")[0]
        return DatabaseUrl(f"postgresql://{authority}/{quote(name, safe='')}{mark}{parameters}")

    def with_settings(self, **settings: str | int) -> "DatabaseUrl":
        """Return the same database whose sessions start with these server settings, after those it already names.

        They travel as startup options, which a PgBouncer in transaction mode does not carry.

        >>> DatabaseUrl.parse("postgresql:///lowcap").with_settings(lock_timeout=5000).libpq()
        'postgresql:///lowcap?options=-c%20lock_timeout%3D5000'
        """
        address, _, query = self._uri.partition("?")
        parameters = [parameter for parameter in query.split("&") if parameter]
        stated = [unquote(p.partition("=")[2]) for p in parameters if p.startswith("options=")]
        others = [parameter for parameter in parameters if not parameter.startswith("options=")]
        options = " ".join([*stated, *(f"-c {name}={value}" for name, value in settings.items())])
        return DatabaseUrl(f"{address}?{'&'.join([*others, 'options=' + quote(options, safe='')])}")

    def has_parameter(self, name: str) -> bool:
        """Whether the URI itself sets a connection parameter."""
        return re.search(rf"[?&]{re.escape(name)}=", self._uri) is not None

    def __str__(self) -> str:
        shown = _PASSWORD_IN_AUTHORITY.sub(r"\1:***@", self._uri)
        return _PASSWORD_IN_QUERY.sub(r"\1***", shown)

    def __repr__(self) -> str:
        return f"DatabaseUrl({str(self)!r})"
