"""Proof that a form was made by this server for this browser: a secret in a cookie, and its seal in the form."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from console.pages.bearer_token import is_same

COOKIE = "lowcap_form"
LIFETIME_S = 2 * 3600
_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")
_SEAL = re.compile(r"([0-9]{1,12})\.[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class CsrfKeeper:
    """Makes and checks seals with a key that lives as long as the process; a restart ends every open form."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def cookie(self, sent: str | None) -> str:
        """Secret of a browser: the one it sent, or a new one."""
        return sent if sent is not None and _COOKIE.fullmatch(sent) else secrets.token_urlsafe(32)

    def seal(self, cookie: str, at_s: float) -> str:
        """Seal for a form made at an instant, in seconds since 1970."""
        made = str(int(at_s))
        return f"{made}.{hmac.new(self.key, f'{made}.{cookie}'.encode(), hashlib.sha256).hexdigest()}"

    def is_sealed(self, cookie: str | None, seal: str | None, at_s: float) -> bool:
        """Whether a form that came at an instant was made here for that cookie, and not too long ago.

        >>> keeper = CsrfKeeper(b"key")
        >>> cookie = "a" * 43
        >>> seal = keeper.seal(cookie, 1000.0)
        >>> [keeper.is_sealed(cookie, seal, at) for at in (1000.0, 8200.0, 8201.0, 999.0)]
        [True, True, False, False]
        >>> keeper.is_sealed("b" * 43, seal, 1000.0), CsrfKeeper(b"other").is_sealed(cookie, seal, 1000.0)
        (False, False)
        """
        found = _SEAL.fullmatch(seal or "")
        if cookie is None or _COOKIE.fullmatch(cookie) is None or found is None:
            return False
        made = int(found[1])
        return is_same(self.seal(cookie, made), seal) and 0 <= int(at_s) - made <= LIFETIME_S
