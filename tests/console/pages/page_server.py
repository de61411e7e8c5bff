"""A real server of the pages on a loopback port, in a thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from console.pages.app import Door, build_app
from console.pages.server import config_server, listen


@contextmanager
def serving(door: Door | None = None) -> Iterator[int]:
    """Serve; gives the port."""
    listening = listen("127.0.0.1", 0)
    server = config_server(build_app(door or Door()))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
