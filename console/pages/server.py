"""The process that listens: where, how long a connection may last, and how many there may be."""

import asyncio
import ipaddress
import socket
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from console.session import RefusedError

CONNECTION_S = 20.0
"""Longest life of a connection, from its first byte to its last: the longest statement of the role takes 15 s."""
CONNECTIONS = 64
HEADER_BYTES = 16_384


class BoundedProtocol(H11Protocol):
    """HTTP on a connection that ends in time, however slowly a request is sent or an answer taken."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and set the end."""
        super().connection_made(transport)
        self._end = self.loop.call_later(CONNECTION_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and forget the timer."""
        self._end.cancel()
        super().connection_lost(exc)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host to listen at; a name is, only if it is localhost.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "example.org")]
    [True, True, True, False, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Take a port. Raises `RefusedError` if it is taken or there is no such host; the message says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise RefusedError(f"Cannot listen at {host} port {port}: {error.strerror}; name another: --port") from None


def serve_at(listening: socket.socket, app: ASGIApp) -> None:
    """Answer until the process is told to end (Ctrl-C, SIGTERM)."""
    config_server(app).run(sockets=[listening])


def config_server(app: ASGIApp) -> uvicorn.Server:
    """Server of an application, with its bounds."""
    config = uvicorn.Config(
        cast("uvicorn._types.ASGI3Application", app),
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=HEADER_BYTES,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)
