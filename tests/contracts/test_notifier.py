"""What a notifier promises, asked of every one there is: a webhook, apprise, the twin in memory."""

import json
import pickle
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from resources.apprise_notifier import AppriseNotifier
from resources.notifier import LONGEST_STATUS, MemoryNotifier, Message, Notifier, NotTakenError
from resources.webhook import WebhookNotifier
from sql.plugin import fulfilling
from tests.loopback_api import Reply, serving

BODY = json.dumps({"subject": "nano 1h", "sentence": "nano heard 9", "severity": "warn", "text": "ü \u202e \"'"})
MESSAGE = Message(key="7b0c", kind="alarm_raised", body=BODY)


@dataclass
class World:
    """A notifier, what its receiver was told, and the receiver's next answers: True takes, False refuses."""

    notifier: Notifier
    answers: list[bool]
    heard: list[str] = field(default_factory=list)


@contextmanager
def memory() -> Iterator[World]:
    world = World(MemoryNotifier(), [])

    def answer(message: Message) -> None:
        world.heard.append(message.body)
        if world.answers and not world.answers.pop(0):
            raise NotTakenError("500")

    world.notifier = MemoryNotifier(on_send=answer)
    yield world


@contextmanager
def webhook() -> Iterator[World]:
    heard: list[str] = []
    answers: list[bool] = []

    def answer(asked: Any) -> Reply:
        heard.append(json.dumps(asked.body))
        return Reply(b"", 200 if not answers or answers.pop(0) else 500)

    with serving(answer) as api:
        yield World(WebhookNotifier(SecretStr(f"{api.url}/hook")), answers, heard)


@contextmanager
def apprise() -> Iterator[World]:
    world = World(MemoryNotifier(), [])

    def notify(*, body: str, title: str, notify_type: str) -> bool:
        world.heard.append(BODY if body == "nano heard 9" else f"other: {title} {notify_type} {body}")
        return not world.answers or world.answers.pop(0)

    world.notifier = AppriseNotifier(SimpleNamespace(notify=notify))
    yield world


WORLDS = {"memory": memory, "webhook": webhook, "apprise": apprise}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    opened: AbstractContextManager[World] = WORLDS[request.param]()
    with opened as made:
        yield made


def test_it_has_what_the_protocol_asks_for(world: World) -> None:
    assert fulfilling(world.notifier, Notifier, variable="X") is world.notifier
    assert world.notifier.name.isidentifier()


def test_a_message_that_is_taken_is_heard_whole_and_told_in_a_word(world: World) -> None:
    said = world.notifier.send(MESSAGE)

    assert [json.loads(each) for each in world.heard] == [json.loads(BODY)]
    assert 0 < len(said) <= LONGEST_STATUS


def test_a_message_that_is_not_taken_raises_and_may_be_sent_again(world: World) -> None:
    world.answers[:] = [False, True]

    with pytest.raises(NotTakenError) as caught:
        world.notifier.send(MESSAGE)
    world.notifier.send(MESSAGE)

    assert not caught.value.is_permanent
    assert 0 < len(str(caught.value)) <= LONGEST_STATUS
    assert len(world.heard) == 2


def test_messages_are_heard_in_the_order_they_are_sent(world: World) -> None:
    for kind in ("alarm_raised", "alarm_cleared", "switch"):
        world.notifier.send(Message(key=kind, kind=kind, body=BODY))

    assert len(world.heard) == 3


def test_a_refusal_can_be_kept_and_is_never_longer_than_its_column() -> None:
    error = NotTakenError("x" * 10_000, is_permanent=True, retry_after_s=3.0)

    assert len(str(error)) == LONGEST_STATUS
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
