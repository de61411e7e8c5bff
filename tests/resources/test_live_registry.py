from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from resources.live_config import LiveConfig
from resources.live_registry import LiveRegistry

AT = datetime(2025, 7, 1, tzinfo=UTC)


def test_a_configuration_is_opened_once_and_seen_at_each_instant():
    registry = LiveRegistry()
    one, two = (registry.market(LiveConfig(), AT + timedelta(minutes=minute)) for minute in range(2))

    assert one.services is two.services
    assert one.memory is two.memory
    assert (one.now(), two.now()) == (AT, AT + timedelta(minutes=1))
    assert one.counts is not two.counts


def test_another_configuration_or_key_is_opened_anew():
    registry = LiveRegistry()
    opened = [
        registry.market(LiveConfig(**changed), AT).services
        for changed in (
            {},
            {"cap_minutes": 7},
            {"coingecko_demo_key": SecretStr("a")},
            {"coingecko_demo_key": SecretStr("b")},
        )
    ]

    assert len({id(each) for each in opened}) == 4


def test_opening_asks_nobody_and_two_registries_share_nothing():
    assert LiveRegistry().market(LiveConfig(), AT).memory is not LiveRegistry().market(LiveConfig(), AT).memory
