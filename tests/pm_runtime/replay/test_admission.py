"""Who is watched from when on, and what was known of each then."""

from datetime import UTC, datetime, timedelta

from domain.config.pm_config import PmConfig
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.timeframe_split import SplitBasis, split_of
from domain.scopes.scope import extract_scope
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.replay.admission import Candidate, admissions_of
from sql.pm_config import VersionedConfig

AT = datetime(2025, 4, 1, tzinfo=UTC)
WIF, BONK = ("WIF", "solana"), ("BONK", "solana")
CONFIG = VersionedConfig(1, PmConfig())
ENOUGH = CONFIG.config.regime.uptrend.min_bars
M1, H1, H4 = Timeframe.M1, Timeframe.H1, Timeframe.H4


def candidate(timeframe: Timeframe = H1, token=WIF, **values) -> Candidate:
    given = {"opened_at": AT, "market_cap_usd": 4e5, "volume_24h_usd": 1e6, "first_bar_at": AT - timedelta(days=200)}
    return Candidate(token=token, timeframe=timeframe, **(given | values))


def admitted(*candidates: Candidate, bars: int | None = None):
    counts = {} if bars is None else {(each.token, each.timeframe): bars for each in candidates}
    return admissions_of(candidates, counts, CONFIG)


def test_all_timeframes_of_a_token_are_admitted_at_its_first_close():
    found = admitted(candidate(H1), candidate(H4))

    assert [(each.timeframe, each.admitted_at) for each in found] == [(H1, AT + H1.duration), (H4, AT + H1.duration)]


def test_a_token_that_has_a_tag_later_is_admitted_later_with_what_was_known_then():
    late = candidate(token=BONK, opened_at=AT + timedelta(days=3), volume_24h_usd=20_000.0)

    first, second = admitted(late, candidate(token=WIF))

    assert (first.token, second.token) == (WIF, BONK)
    assert second.admitted_at == AT + timedelta(days=3) + H1.duration
    assert (first.entry_context["vol_bucket"], second.entry_context["vol_bucket"]) == ("1m+", "10k-50k")


def test_what_is_not_known_is_not_in_the_entry_context():
    young = candidate(volume_24h_usd=None, first_bar_at=AT - timedelta(days=89))

    (found,) = admitted(young)

    assert found.entry_context == {"chain": "solana", "curator": "replay"}


def test_a_token_whose_bars_go_back_ninety_days_is_old_whenever_it_was_listed():
    (found,) = admitted(candidate(first_bar_at=AT + H1.duration - timedelta(days=90)))

    assert found.entry_context["age_bucket"] == "90d+"


def test_a_position_keeps_no_learned_share_and_is_sized_by_the_configured_splits():
    sizing = CONFIG.config.portfolio.sizing
    found = [split_of(each.entry_context, each.timeframe, sizing) for each in admitted(candidate(H1), candidate(H4))]

    assert [each.basis for each in found] == [SplitBasis.CONFIGURED] * 2
    assert [each.share for each in found] == [sizing.timeframe_splits[H1], sizing.timeframe_splits[H4]]


def test_the_entry_context_makes_a_scope():
    (found,) = admitted(candidate())

    assert extract_scope(entry=found.entry_context, action={}, regime={})["mcap_vol_ratio_bucket"] == "0.1-0.5"


def test_a_position_is_watched_where_there_were_enough_bars_and_dormant_elsewhere():
    assert [each.status for each in admitted(candidate(), bars=ENOUGH)] == [PositionStatus.WATCHLIST]
    assert [each.status for each in admitted(candidate(), bars=ENOUGH - 1)] == [PositionStatus.DORMANT]
    assert [each.status for each in admitted(candidate())] == [PositionStatus.DORMANT]


def test_minutes_beside_a_slower_timeframe_with_enough_bars_sleep():
    minutes, hours = admitted(candidate(M1), candidate(H1), bars=ENOUGH)

    assert (minutes.status, hours.status) == (PositionStatus.DORMANT, PositionStatus.WATCHLIST)


def test_a_token_gets_the_configured_allocation():
    (found,) = admitted(candidate())

    assert found.total_allocation_pct == CONFIG.config.portfolio.sizing.default_allocation_pct
