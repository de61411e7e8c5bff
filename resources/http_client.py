"""JSON over HTTP from one outside service: bounded in time, in size and in number of tries.

What belongs here: the call, its limits, its errors. What does not: what an answer means.

A call has its own event loop and connection, so that one deadline covers name, handshake, headers and body (a server
that drips bytes ends with it), and nothing stays open that a caller would have to close. Calls are few a minute.
Redirects are not followed and the environment is not read (proxies, netrc): a key goes nowhere but to its base URL.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import httpx2
from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from resources.rate_limit import PatienceError, RateLimit
from resources.source_error import RequestRefusedError, SourceError, SourceUnavailableError

EXCERPT_BYTES = 200
BANNED = 418
"""Binance's status for an address that ignored 429; calling again makes the ban longer."""
SHORTEST_BAN_S = 120.0
LONGEST_CLOSED_S = 3 * 86_400.0
"""Longest ban known; a Retry-After beyond it is taken as this."""
COME_BACK_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True)
class CallLimits:
    """How long, how often and how large."""

    attempts: int = 4
    """Most tries of a call."""
    connect_timeout_s: float = 5.0
    attempt_timeout_s: float = 15.0
    """Most seconds of one try, from name look-up to the last byte."""
    budget_s: float = 90.0
    """Most seconds of a call with all its waits, a whole minute for the rate limit among them."""
    max_bytes: int = 8_000_000
    """Largest body read."""
    backoff_s: float = 0.5
    """Wait after the first failure; doubles with each, and is spread by half up and down."""
    max_backoff_s: float = 20.0


@dataclass(frozen=True)
class Answer:
    """A JSON body and when its maker says it was made: Date less Age, None without a Date."""

    body: Any
    made_at: datetime | None
    url: str


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    params: Mapping[str, str | int]
    body: Any
    weight: int


@dataclass(frozen=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class HttpClient:
    """One outside service.

    Attributes
    ----------
    base_url : str
        Scheme, host, port, first part of the path. Without user, password or query: those would be logged.
    rate : RateLimit
        Shared by everybody who calls the same service from this process.
    secrets : mapping of str to SecretStr
        Headers that carry a key.

    Raises
    ------
    ValueError
        If `base_url` is not such a URL, or a secret is no header value; the message does not repeat it.
    """

    base_url: str
    rate: RateLimit
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    limits: CallLimits = CallLimits()

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        plain = parts.hostname and not (parts.username or parts.password or parts.query or parts.fragment)
        if parts.scheme not in ("http", "https") or not plain:
            raise ValueError("base_url must be http(s)://host[:port][/path], without user, password or query")
        for name, secret in self.secrets.items():
            value = secret.get_secret_value()
            if not (value.isascii() and value.isprintable() and value == value.strip()):
                raise ValueError(f"the secret of header {name!r} must be printable ASCII without spaces around it")

    def get(self, path: str, params: Mapping[str, str | int] | None = None, *, weight: int = 1) -> Answer:
        """Ask by GET; see `post`."""
        return self._call(_Request("GET", path, params or {}, None, weight))

    def post(self, path: str, body: Any, *, weight: int = 1) -> Answer:
        """Ask by POST with a JSON body. Retried as GET is: only for questions that change nothing.

        Raises
        ------
        RequestRefusedError
            On a status that will not change, a redirect, or a body beyond `max_bytes`.
        SourceUnavailableError
            When the last try failed too: no connection, timeout, 429, 5xx, a body that is no JSON; or a ban (418).
        """
        return self._call(_Request("POST", path, {}, body, weight))

    def _call(self, request: _Request) -> Answer:
        clock = self.rate.stopwatch
        deadline = clock.monotonic() + self.limits.budget_s

        def is_spent(state: RetryCallState) -> bool:
            late = clock.monotonic() + state.upcoming_sleep >= deadline
            error = state.outcome.exception() if state.outcome else None
            is_ban = isinstance(error, SourceError) and error.status == BANNED
            return is_ban or late or state.attempt_number >= self.limits.attempts

        retrying = Retrying(
            sleep=clock.sleep,
            wait=self._wait_s,
            stop=is_spent,
            retry=retry_if_exception_type(SourceUnavailableError),
            reraise=True,
        )
        return retrying(self._attempt, request, deadline)

    def _wait_s(self, state: RetryCallState) -> float:
        """Backoff, spread; on top of what the service asked for."""
        backoff = min(self.limits.backoff_s * 2 ** (state.attempt_number - 1), self.limits.max_backoff_s)
        spread = self.rate.stopwatch.uniform(0.5 * backoff, 1.5 * backoff)
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, SourceUnavailableError) else None
        return spread + (asked or 0.0)

    def _attempt(self, request: _Request, deadline: float) -> Answer:
        clock = self.rate.stopwatch
        try:
            self.rate.take(request.weight, patience_s=deadline - clock.monotonic())
        except PatienceError as error:
            raise self._unavailable(request, str(error), retry_after_s=error.wait_s) from error
        left_s = max(deadline - clock.monotonic(), 0.0)
        try:
            reply = asyncio.run(self._exchange(request, min(self.limits.attempt_timeout_s, left_s)))
        except TimeoutError as error:
            raise self._unavailable(request, f"no whole answer in {self.limits.attempt_timeout_s:g} s") from error
        except httpx2.TransportError as error:
            raise self._unavailable(request, f"{type(error).__name__}: {error}") from error
        return self._answer(request, reply)

    async def _exchange(self, request: _Request, timeout_s: float) -> _Reply:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        headers |= {name: secret.get_secret_value() for name, secret in self.secrets.items()}
        timeout = httpx2.Timeout(None, connect=self.limits.connect_timeout_s)
        async with (
            asyncio.timeout(timeout_s),
            httpx2.AsyncClient(verify=self._trust, trust_env=False, timeout=timeout) as client,
            client.stream(
                request.method, self._url(request), json=request.body, headers=headers, follow_redirects=False
            ) as response,
        ):
            content = bytearray()
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > self.limits.max_bytes:
                    break
        return _Reply(response.status_code, response.headers, bytes(content))

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return httpx2.create_ssl_context(trust_env=False)

    def _answer(self, request: _Request, reply: _Reply) -> Answer:
        if reply.status != HTTPStatus.OK:
            self._fail(request, reply)
        if len(reply.content) > self.limits.max_bytes:
            raise RequestRefusedError(
                self._told(request, f"the body is longer than {self.limits.max_bytes} bytes", reply),
                url=self._url(request),
                status=reply.status,
            )
        try:
            body = json.loads(reply.content)
        except (ValueError, RecursionError) as error:  # HTML of a front, a cut body, brackets without end
            raise self._unavailable(request, "the body is no JSON", reply) from error
        return Answer(body, _made_at(reply.headers), self._url(request))

    def _fail(self, request: _Request, reply: _Reply) -> NoReturn:
        retry_after_s = _retry_after_s(reply.headers)
        if reply.status == BANNED:
            self.rate.close_for(max(retry_after_s or 0.0, SHORTEST_BAN_S))
            raise self._unavailable(request, "this address is banned for a while", reply, retry_after_s)
        if reply.status in COME_BACK_LATER or reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if retry_after_s:
                self.rate.close_for(retry_after_s)
            raise self._unavailable(request, "not now", reply, retry_after_s)
        raise RequestRefusedError(self._told(request, "refused", reply), url=self._url(request), status=reply.status)

    def _unavailable(
        self, request: _Request, problem: str, reply: _Reply | None = None, retry_after_s: float | None = None
    ) -> SourceUnavailableError:
        return SourceUnavailableError(
            self._told(request, problem, reply),
            url=self._url(request),
            status=reply.status if reply else None,
            retry_after_s=retry_after_s,
        )

    def _told(self, request: _Request, problem: str, reply: _Reply | None) -> str:
        """Message for a person: a service may echo a key, so every secret is struck out."""
        told = f"{request.method} {self._url(request)}: {problem}"
        if reply is not None:
            told += f"; status {reply.status}, body starts {self._excerpt(reply.content)}"
        return told

    def _excerpt(self, content: bytes) -> str:
        text = content[: 20 * EXCERPT_BYTES].decode("utf-8", errors="replace")
        for secret in self.secrets.values():
            text = text.replace(secret.get_secret_value() or "\0", "**********")
        return repr(text[:EXCERPT_BYTES])

    def _url(self, request: _Request) -> str:
        query = f"?{urlencode(request.params)}" if request.params else ""
        return f"{self.base_url.rstrip('/')}{request.path}{query}"


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds of Retry-After, which may be a number or a date (then counted from the answer's own Date)."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_CLOSED_S)
    then, now = _date(text), _date(headers.get("date", ""))
    return min(max((then - now).total_seconds(), 0.0), LONGEST_CLOSED_S) if then and now else None


def _made_at(headers: Mapping[str, str]) -> datetime | None:
    """When the answer was made; a cache hands on an older one and says so by Age."""
    at, age = _date(headers.get("date", "")), headers.get("age", "0").strip()
    if at is None:
        return None
    return at - timedelta(seconds=int(age[:9])) if age.isascii() and age.isdigit() else at


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo else None
