"""A notifier for what apprise knows: Telegram, Discord, Slack, mail and others, by one URL.

The package is an extra, `pip install lowcap[notify]`, and is imported when a URL is named. It hands no key on and says
only whether it went well: a message may come twice, and a failure is tried again until the last attempt. It logs the
addresses it is given, secrets and all: while it works its loggers are silent.
"""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from resources.notifier import Message, NotTakenError

HOW_BAD = {"error": "failure", "warn": "warning"}
TALKATIVE = ("apprise", "urllib3")


@dataclass(frozen=True)
class AppriseNotifier:
    """Receivers of one or more apprise URLs. `sender` is an `apprise.Apprise` with them."""

    sender: Any
    name: str = "apprise"

    @classmethod
    def open(cls, urls: SecretStr, *, variable: str) -> "AppriseNotifier":
        """Open the receivers of URLs that stand with spaces between them.

        Raises
        ------
        ValueError
            If apprise is not installed, or does not know one of the URLs; the message does not repeat it.
        """
        try:
            import apprise  # not at the top: an extra, and slow to load
        except ImportError:
            raise ValueError(f"{variable} needs the package apprise: pip install 'lowcap[notify]'") from None
        sender = apprise.Apprise()
        with _silent(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its own, of modules it loads at the first address
            known = [sender.add(url) for url in urls.get_secret_value().split()]
        if not all(known):
            raise ValueError(f"{variable}: apprise does not know the URL number {known.index(False) + 1}")
        return cls(sender)

    def send(self, message: Message) -> str:
        """Tell every receiver the sentence of the message."""
        said = json.loads(message.body)
        title = f"lowcap: {message.kind.replace('_', ' ')}: {said['subject']}"
        how = "success" if message.kind == "alarm_cleared" else HOW_BAD.get(said["severity"], "info")
        with _silent():
            is_told = self.sender.notify(body=said["sentence"], title=title, notify_type=how)
        if not is_told:
            raise NotTakenError("apprise says that it was not delivered")
        return "sent"


@contextmanager
def _silent() -> Iterator[None]:
    """Let nothing through from loggers that write addresses."""
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
