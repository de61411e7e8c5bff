"""A deployment has one notifier: the one it names; a mistake is told without any value."""

import sys

import pytest

from resources.named_notifier import read_notifier
from resources.notifier import MemoryNotifier, Message, NotTakenError
from resources.webhook import WebhookNotifier
from tests.loopback_api import Reply, in_turn, serving

SECRET = "T0KEN-that-is-secret"


@pytest.mark.parametrize("environment", [{}, {"LOWCAP_WEBHOOK_URL": " "}, {"LOWCAP_WEBHOOK_SECRET": SECRET}])
def test_none_is_named(environment):
    assert read_notifier(environment) is None


def test_a_webhook_is_opened_with_its_secret():
    notifier = read_notifier({"LOWCAP_WEBHOOK_URL": f"https://h.example/{SECRET}", "LOWCAP_WEBHOOK_SECRET": SECRET})

    assert isinstance(notifier, WebhookNotifier)
    assert notifier.secret.get_secret_value() == SECRET
    assert SECRET not in repr(notifier)


def test_one_of_their_own_is_opened():
    notifier = read_notifier({"LOWCAP_NOTIFIER": "resources.notifier:MemoryNotifier"})

    assert isinstance(notifier, MemoryNotifier)


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        (
            {"LOWCAP_WEBHOOK_URL": f"http://h/{SECRET}", "LOWCAP_NOTIFIER": "a:b"},
            "Two notifiers: LOWCAP_WEBHOOK_URL and LOWCAP_NOTIFIER",
        ),
        ({"LOWCAP_WEBHOOK_URL": f"ftp://{SECRET}"}, "LOWCAP_WEBHOOK_URL: the webhook's URL"),
        ({"LOWCAP_NOTIFIER": "resources.notifier"}, "LOWCAP_NOTIFIER: expected package.module:factory"),
        ({"LOWCAP_NOTIFIER": "no_such_module:make"}, "LOWCAP_NOTIFIER: cannot import no_such_module"),
        ({"LOWCAP_NOTIFIER": "resources.notifier:nothing"}, "has no callable 'nothing'"),
        ({"LOWCAP_NOTIFIER": "collections:OrderedDict"}, "a OrderedDict is no Notifier: it lacks name, send"),
    ],
)
def test_a_mistake_is_told_without_a_secret(environment, complaint):
    with pytest.raises(ValueError, match="LOWCAP_") as caught:
        read_notifier(environment)

    assert complaint in str(caught.value)
    assert SECRET not in str(caught.value)


def test_without_the_extra_apprise_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(
        ValueError, match=r"LOWCAP_APPRISE_URL needs the package apprise: pip install 'lowcap\[notify\]'"
    ):
        read_notifier({"LOWCAP_APPRISE_URL": f"tgram://{SECRET}/1"})


def test_apprise_tells_the_urls_it_knows_and_shows_none(caplog):
    pytest.importorskip("apprise", reason="the extra [notify] is not installed")
    caplog.set_level(1)
    message = Message(
        key="k", kind="alarm_raised", body='{"subject": "s", "sentence": "it is late", "severity": "warn"}'
    )
    with serving(in_turn(Reply({}, 200), Reply({}, 500))) as api:
        notifier = read_notifier({"LOWCAP_APPRISE_URL": f"{api.url.replace('http', 'json')}/{SECRET}"})
        assert notifier.send(message) == "sent"
        with pytest.raises(NotTakenError, match="not delivered"):
            notifier.send(message)
    with pytest.raises(ValueError, match="does not know the URL number 2") as caught:
        read_notifier({"LOWCAP_APPRISE_URL": f"json://127.0.0.1:1 nonsense:/{SECRET}"})

    assert (api.asked[0].body["message"], api.asked[0].body["type"]) == ("it is late", "warning")
    assert [text for text in (caplog.text, str(caught.value), repr(notifier)) if SECRET in text] == []
