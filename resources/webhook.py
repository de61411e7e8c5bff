"""A notifier that POSTs JSON to a URL, signed where a secret is named.

Headers: `Idempotency-Key`, the same at every attempt; and with a secret `X-Lowcap-Timestamp`, seconds since the epoch,
and `X-Lowcap-Signature`, "sha256=" and the HMAC-SHA-256, in hex, of the timestamp, a full stop and the body.

The URL may carry a secret in any part. It is in no message and no log line: requests go through the transport, because
the client of the library logs the URL of each. Redirects are not followed, the environment is not read, and one
deadline covers all of an attempt.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx2
from pydantic import SecretStr

from resources.http_client import COME_BACK_LATER
from resources.notifier import Message, NotTakenError

ATTEMPT_TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 5.0
LONGEST_RETRY_AFTER_S = 86_400.0


@dataclass(frozen=True)
class WebhookNotifier:
    """One receiver.

    Attributes
    ----------
    url : SecretStr
        http or https, with a host.
    secret : SecretStr or None
        Signs every request.
    timeout_s : float
        Longest attempt, from name look-up to the last header.
    now_s : callable
        Seconds since the epoch, for the signature.

    Raises
    ------
    ValueError
        If the URL is none, or carries a user: put the secret in its path or query. The message does not repeat it.
    """

    url: SecretStr
    secret: SecretStr | None = None
    timeout_s: float = ATTEMPT_TIMEOUT_S
    now_s: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        text = self.url.get_secret_value()
        if not (text.isascii() and text.isprintable() and " " not in text):
            raise ValueError("the webhook's URL must be printable ASCII without spaces")
        try:
            parts = urlsplit(text)
            is_url = parts.scheme in ("http", "https") and bool(httpx2.URL(text).host) and parts.port != 0
        except (ValueError, httpx2.InvalidURL):
            is_url = False
        if not is_url or parts.username is not None:
            raise ValueError("the webhook's URL must be http(s)://host[:port][/path][?query], without user or password")

    @property
    def name(self) -> str:
        """Name in the rows of what it told."""
        return "webhook"

    def send(self, message: Message) -> str:
        """POST a message; returns the status, such as "200"."""
        try:
            status, retry_after = asyncio.run(self._exchange(message))
        except TimeoutError:
            raise NotTakenError("timeout") from None
        except httpx2.TransportError as error:
            raise NotTakenError(type(error).__name__) from None  # its text may have the address
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return str(status)
        is_passing = status in COME_BACK_LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        raise NotTakenError(_told(status), is_permanent=not is_passing, retry_after_s=_seconds(retry_after))

    async def _exchange(self, message: Message) -> tuple[int, str]:
        body = message.body.encode()
        request = httpx2.Request(
            "POST",
            self.url.get_secret_value(),
            content=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "lowcap",
                "Idempotency-Key": message.key,
                **self._signature(body),
            },
            extensions={"timeout": httpx2.Timeout(self.timeout_s, connect=CONNECT_TIMEOUT_S).as_dict()},
        )
        trust = httpx2.create_ssl_context(trust_env=False)
        async with (
            asyncio.timeout(self.timeout_s),
            httpx2.AsyncHTTPTransport(verify=trust, trust_env=False) as transport,
        ):
            response = await transport.handle_async_request(request)
            try:
                return response.status_code, response.headers.get("retry-after", "")
            finally:
                await response.aclose()  # what it says is not read: it could be any size

    def _signature(self, body: bytes) -> dict[str, str]:
        if self.secret is None:
            return {}
        at = str(int(self.now_s()))
        signed = hmac.new(self.secret.get_secret_value().encode(), f"{at}.".encode() + body, hashlib.sha256)
        return {"X-Lowcap-Timestamp": at, "X-Lowcap-Signature": f"sha256={signed.hexdigest()}"}


def _told(status: int) -> str:
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"{status}: redirects are not followed"
    return str(status)


def _seconds(text: str) -> float:
    """Seconds of a Retry-After that is a number; a date is not read, the schedule waits long enough."""
    text = text.strip()
    return min(float(text[:9]), LONGEST_RETRY_AFTER_S) if text.isascii() and text.isdigit() else 0.0
