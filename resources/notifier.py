"""Who is told: a notifier takes a message under a key, or says why not. One protocol, and its twin in memory.

A message may come again under the same key: a sender died before it could note that the first was taken. A notifier
that can, tells its receiver the key; one that cannot, tells twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

LONGEST_STATUS = 200


class NotTakenError(RuntimeError):
    """The message was not taken. What is said here is stored and shown: no secret, no address, is in it.

    Attributes
    ----------
    is_permanent : bool
        Whether the same message would be refused again whenever it is sent.
    retry_after_s : float
        How long the receiver asked to be left alone, seconds.
    """

    def __init__(self, status: str, *, is_permanent: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(status[:LONGEST_STATUS])
        self.is_permanent = is_permanent
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told. key: the same at every attempt. body: JSON text, the same bytes at every attempt."""

    key: str
    kind: str
    body: str


class Notifier(Protocol):
    """Tells somebody outside."""

    @property
    def name(self) -> str:
        """Name that stands in the rows of what it told; no secret."""

    def send(self, message: Message) -> str:
        """Tell; returns what the receiver said, in a word, such as an HTTP status.

        It ends within a minute, whatever the receiver does.

        Raises
        ------
        NotTakenError
            If the message was not taken.
        """


@dataclass
class MemoryNotifier:
    """Keeps what it is told. `answers` are given one after the other: a status, or an error to raise; then "kept"."""

    answers: list[str | NotTakenError] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    """Every message that came, refused or not."""
    on_send: Callable[[Message], None] | None = None
    name: str = "memory"

    def send(self, message: Message) -> str:
        """Keep a message, and answer."""
        self.told.append(message)
        if self.on_send is not None:
            self.on_send(message)
        answer = self.answers.pop(0) if self.answers else "kept"
        if isinstance(answer, NotTakenError):
            raise answer
        return answer
