"""The secret that lets somebody set the switch over HTTP: read from a file, compared in constant time."""

import base64
import binascii
import hashlib
import hmac
import stat
from pathlib import Path

from console.session import RefusedError

SHORTEST, LONGEST = 32, 512


def read_bearer_token(path: Path) -> str:
    """Token of a file: its one line.

    Raises
    ------
    RefusedError
        If the file cannot be read, is no ordinary file or others may read it, or the token is short, long, or not
        plain ASCII without spaces.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            text = file.read(LONGEST + 2).decode("ascii").strip() if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"The token file {path} cannot be read: {error}") from None
    if not path.is_file():
        raise RefusedError(f"The token file {path} is no file")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RefusedError(f"Others may read the token file {path}; first: chmod 600 {path}")
    if not SHORTEST <= len(text) <= LONGEST or not all("!" <= character <= "~" for character in text):
        raise RefusedError(f"The token file {path} must hold one line of {SHORTEST} to {LONGEST} plain characters")
    return text


def is_same(token: str | None, given: str | None) -> bool:
    """Whether a token is the right one, in a time that tells nothing of it; None is never."""
    if token is None or given is None:
        return False
    digests = (hashlib.sha256(each.encode("utf-8", "surrogatepass")).digest() for each in (token, given))
    return hmac.compare_digest(*digests)


def token_of_header(header: str | None) -> str | None:
    """Token of an Authorization header: a Bearer's, or the password of Basic, which every browser can ask for.

    >>> token_of_header("Bearer abc"), token_of_header("basic bmFtZTphYmM="), token_of_header("Digest abc")
    ('abc', 'abc', None)
    """
    scheme, _, rest = (header or "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None
