"""The door of the server: whose name it answers to, who may enter, how much may be sent, and what browsers may do.

It stands before every route, so a page cannot forget it.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.pages.bearer_token import is_same, token_of_header

MAX_BODY_BYTES = 16_384
BODY_PATIENCE_S = 5.0
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "connection": "close",  # a connection is one request, so its time is bounded as a whole
}


class _RefusedRequestError(Exception):
    """The request is not let in; `answer` says so."""

    def __init__(self, status: int, said: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(said)
        self.answer = PlainTextResponse(f"{said}\n", status, headers)


@dataclass(frozen=True)
class Guard:
    """Lets requests through to an application.

    Attributes
    ----------
    app : ASGIApp
        What is guarded.
    names : frozenset of str
        Hosts the server answers to, without ports, in lower case. Another name in the Host header is a page of
        somebody else that had its name point here.
    token : str or None
        The secret, where there is one.
    is_public : bool
        Whether others than this machine reach the server; every request then needs the token.
    """

    app: ASGIApp
    names: frozenset[str]
    token: str | None
    is_public: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # no websocket is served
            await send({"type": "websocket.close", "code": 1008})
            return
        answering = _with_headers(send)
        headers = Headers(scope=scope)
        try:
            _check_host(headers.getlist("host"), self.names)
            if self.is_public and not is_same(self.token, _token(headers)):
                raise _RefusedRequestError(401, "The token is missing or wrong", _CHALLENGE)
            body = await _body(headers, receive)
        except _RefusedRequestError as refused:
            await refused.answer(scope, receive, answering)
            return
        await self.app(scope, _again(body, receive), answering)


_CHALLENGE = {"www-authenticate": 'Basic realm="lowcap", charset="UTF-8"'}


def host_of(header: str) -> str:
    """Name in a Host header, without its port.

    >>> host_of("LocalHost:3010"), host_of("[::1]:3010"), host_of("[::1]"), host_of("::1")
    ('localhost', '[::1]', '[::1]', '')
    """
    if header.startswith("["):
        name, bracket, rest = header.partition("]")
        return f"{name}{bracket}".lower() if not rest or rest.startswith(":") else ""
    name, _, port = header.partition(":")
    return "" if ":" in port else name.lower()


def _check_host(headers: list[str], names: Iterable[str]) -> None:
    if len(headers) != 1:
        raise _RefusedRequestError(400, "A request needs one Host header")
    if host_of(headers[0]) not in names:
        raise _RefusedRequestError(400, "This server does not answer to that host name; see: lowcap serve --allow-host")


def _token(headers: Headers) -> str | None:
    """Token of a request; None where there are several: whoever stands between may have read another one."""
    given = headers.getlist("authorization")
    return token_of_header(given[0]) if len(given) == 1 else None


async def _body(headers: Headers, receive: Receive) -> bytes:
    """Whole body of a request, within its bounds."""
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or int(length[:12]) > MAX_BODY_BYTES:
        raise _RefusedRequestError(413, f"A body may have {MAX_BODY_BYTES} bytes")
    body, more = b"", True
    try:
        async with asyncio.timeout(BODY_PATIENCE_S):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":  # half a form must not be acted on
                    raise _RefusedRequestError(400, "The body did not come whole")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > MAX_BODY_BYTES:
                    raise _RefusedRequestError(413, f"A body may have {MAX_BODY_BYTES} bytes")
    except TimeoutError:
        raise _RefusedRequestError(408, "The body did not come in time") from None
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, once, then what comes after it."""
    waiting = [body]

    async def received() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return received


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sent
