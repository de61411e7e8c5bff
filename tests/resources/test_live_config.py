import pytest
from pydantic import ValidationError

from domain.vocabulary.universe import MAJORS
from resources.live_config import LiveConfig, LiveSymbol, VenueSymbol

KEY = "CG-fixture-secret-789"


def symbol(token: str, **venue: object) -> dict[str, object]:
    return {
        "token_contract": token,
        "chain": "eth",
        "venues": [{"venue": "geckoterminal", "symbol": "eth/0xa"} | venue],
    }


def test_the_majors_come_from_hyperliquid_first_and_binance_after():
    majors = LiveConfig().majors

    assert [each.token_contract for each in majors] == list(MAJORS)
    assert {tuple(at.venue for at in each.venues) for each in majors} == {("hyperliquid", "binance_usd_m")}
    assert majors[-1].venues[1].symbol == "HYPEUSDT"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"majors": [symbol("PEPE")]}, "majors must be among"),
        ({"majors": [symbol("BTC")]}, "the chain of a major must be 'majors', was \\['eth'\\]"),
        ({"max_splice_ratio": 1.0}, "greater than 1"),
        ({"recheck_hours": 0}, "greater than 0"),
        ({"dominance_minutes": 16}, "less than or equal to 15"),
        ({"lowcaps": [symbol("BTC")]}, "lowcaps must not be majors"),
        ({"lowcaps": [symbol("PEPE"), symbol("PEPE")]}, "listed once"),
        ({"lowcaps": [symbol("PEPE", symbol="0xa")]}, "network/pool address"),
        ({"lowcaps": [symbol("PEPE", symbol="/0xa")]}, "network/pool address"),
        ({"lowcaps": [symbol("PEPE", coins=0)]}, "greater than 0"),
        ({"lowcaps": [symbol("PEPE", listed_at="2025-01-01T00:00:00")]}, "timezone"),
        ({"lowcaps": [symbol("PEPE") | {"venues": []}]}, "at least 1"),
        ({"lowcaps": [symbol("PEPE", venue="nowhere")]}, "hyperliquid"),
        ({"depth_days": {}}, "at least 1"),
        ({"depth_days": {"7m": 1}}, "'1m', '5m'"),
        ({"unknown": 1}, "Extra inputs"),
    ],
)
def test_a_configuration_that_cannot_be_right_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        LiveConfig.model_validate(settings)


def test_a_key_is_not_shown_by_a_configuration_or_its_json():
    config = LiveConfig.model_validate({"coingecko_demo_key": KEY})

    assert KEY not in repr(config) + str(config) + config.model_dump_json()


def test_a_symbol_may_have_venues_of_different_multiples():
    venues = (
        VenueSymbol(venue="hyperliquid", symbol="kPEPE", coins=1000),
        VenueSymbol(venue="binance_spot", symbol="PEPEUSDT"),
    )

    assert [at.coins for at in LiveSymbol(token_contract="PEPE", chain="cex", venues=venues).venues] == [1000.0, 1.0]
