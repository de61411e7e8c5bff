"""Rows of episodes: what they say, since when it is known, and which are refused by name."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.config.plan import EpisodeConfig
from domain.learning.episode_fact import EpisodeRefusal, read_episodes
from domain.learning.trade_fact import TradeFact
from domain.portfolio.episode import episode_id, step_episodes
from domain.portfolio.episode_column import episode_columns
from domain.portfolio.gate import Gate
from domain.vocabulary.action import OrderSide
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.uptrend import UptrendState
from tests.domain.learning.closed_trades import facts
from tests.domain.portfolio.token_bars import HOUR, START, hours, planned, token_bar, watched

BEGIN = token_bar("S1", prev_state=UptrendState.S0, ts_with_boost=0.50)
BOUGHT = [BEGIN, token_bar("S1"), token_bar("S3", close_usd=104.0, dx=0.1)]
LEFT = [BEGIN, token_bar("S2"), token_bar("S0")]


def stored(bars: list, **changed) -> dict[str, object]:
    """Row of the first window the runtime makes of some bars, as the driver gives it: JSON as text."""
    windows: dict = {}
    for bar in hours(bars):
        decision = planned(watched(bar))
        is_buy = decision.category is not None and decision.category.side is OrderSide.BUY
        pending = [each for each in windows.values() if each.is_pending]
        moved = step_episodes(pending, bar, decision, trade_id="t1" if is_buy else None, config=EpisodeConfig())
        windows |= {each.started_at: each for each in moved}
    first = windows[min(windows)]
    columns = episode_columns(first)
    texts = {name: None if columns[name] is None else json.dumps(columns[name]) for name in ("gates", "samples")}
    return {
        "episode_id": episode_id("p1", first.family, first.started_at),
        "timeframe": "1h",
        "scope": '{"mcap_bucket":"nano","timeframe":"1h"}',
        **columns,
        **texts,
        **changed,
    }


def trade(rr: float | None, closed_at: datetime) -> TradeFact:
    (first, *_) = facts("t1", rr, ({"timeframe": "1h"},))
    return replace(first, closed_at=closed_at)


def test_what_the_runtime_stores_is_read_back_with_its_gates_and_scope():
    (found,) = read_episodes([stored(BOUGHT)], [], max_abs_rr=10.0).episodes

    assert (found.family, found.decision, found.outcome, found.trade_id) == ("pm.s1_entry", "acted", "success", "t1")
    assert {gate.name for gate in found.gates} >= {Gate.TREND_STRENGTH, Gate.NEAR_EMA60, Gate.LEVER_A}
    assert found.blocking == ()
    assert dict(found.scope) == {ScopeDimension.MCAP_BUCKET: "nano", ScopeDimension.TIMEFRAME: "1h"}


def test_a_window_that_one_gate_kept_out_says_which():
    (found,) = read_episodes([stored(LEFT)], [], max_abs_rr=10.0).episodes

    assert (found.decision, found.outcome, found.blocking) == ("skipped", "failure", (Gate.TREND_STRENGTH,))


def test_a_window_that_is_still_open_is_read_without_a_decision():
    (found,) = read_episodes([stored([BEGIN])], [], max_abs_rr=10.0).episodes

    assert (found.decision, found.decided_at, found.gates, found.outcome) == (None, None, (), "pending")
    assert not found.is_told(START + 1000 * HOUR)


def test_an_outcome_is_known_once_its_bar_has_closed_and_not_before():
    (found,) = read_episodes([stored(BOUGHT)], [], max_abs_rr=10.0).episodes
    closed_at = START + 3 * HOUR

    assert not found.is_told(closed_at)
    assert found.is_told(closed_at + timedelta(microseconds=1))


def test_the_rr_of_its_trade_is_winsorised_and_known_from_the_closure_on():
    closed_at = START + 90 * HOUR
    (found,) = read_episodes([stored(BOUGHT)], [trade(25.0, closed_at)], max_abs_rr=10.0).episodes

    assert found.rr_as_of(closed_at) is None
    assert found.rr_as_of(closed_at + HOUR) == 10.0


@pytest.mark.parametrize("trades", [[], [trade(None, START + 90 * HOUR)]], ids=["open", "without an rr"])
def test_a_trade_that_is_open_or_has_no_rr_leaves_it_absent(trades):
    (found,) = read_episodes([stored(BOUGHT)], trades, max_abs_rr=10.0).episodes

    assert found.rr_as_of(datetime(2030, 1, 1, tzinfo=UTC)) is None


def gates_with(**changed) -> str:
    return json.dumps([json.loads(stored(BOUGHT)["gates"])[0] | changed])


WRONG = {
    "no id": ({"episode_id": ""}, EpisodeRefusal.MALFORMED),
    "a time without an offset": ({"started_at": datetime(2025, 1, 1)}, EpisodeRefusal.MALFORMED),  # noqa: DTZ001
    "gates that are no JSON": ({"gates": "[{"}, EpisodeRefusal.MALFORMED),
    "a family nobody knows": ({"family": "pm.s2_retest"}, EpisodeRefusal.UNKNOWN_WORD),
    "an outcome that is the text null": ({"outcome": "null"}, EpisodeRefusal.UNKNOWN_WORD),
    "a gate nobody knows": ({"gates": gates_with(name="macd")}, EpisodeRefusal.WRONG_GATES),
    "a gate read twice": ({"gates": gates_with()[:-1] + "," + gates_with()[1:]}, EpisodeRefusal.WRONG_GATES),
    "a value that is a text": ({"gates": gates_with(value="0.6")}, EpisodeRefusal.WRONG_GATES),
    "a margin of the other sign": ({"gates": gates_with(margin=-0.5)}, EpisodeRefusal.WRONG_GATES),
    "gates that are no list": ({"gates": "{}"}, EpisodeRefusal.WRONG_GATES),
    "a scope that is a list": ({"scope": "[]"}, EpisodeRefusal.WRONG_SCOPE),
    "a dimension nobody knows": ({"scope": '{"moon":"full"}'}, EpisodeRefusal.WRONG_SCOPE),
    "acted without a trade": ({"trade_id": None}, EpisodeRefusal.INCONSISTENT),
    "acted through a shut gate": ({"gates": gates_with(passed=False, margin=-1.0)}, EpisodeRefusal.INCONSISTENT),
    "acted without gates": ({"gates": None}, EpisodeRefusal.INCONSISTENT),
    "an outcome without a time": ({"outcome_at": None}, EpisodeRefusal.INCONSISTENT),
    "an outcome before the start": ({"outcome_at": START - HOUR}, EpisodeRefusal.INCONSISTENT),
    "an outcome without a decision": ({"decision": None, "trade_id": None}, EpisodeRefusal.INCONSISTENT),
}


@pytest.mark.parametrize(("changed", "reason"), WRONG.values(), ids=WRONG)
def test_a_row_that_cannot_be_right_is_refused_by_name_and_the_others_are_read(changed, reason):
    intake = read_episodes([stored(BOUGHT, **changed), stored(LEFT, episode_id="other")], [], max_abs_rr=10.0)

    assert [each.episode_id for each in intake.episodes] == ["other"]
    assert [each.reason for each in intake.refused] == [reason]


def test_one_row_told_twice_is_one_episode_and_two_that_differ_are_none():
    same, other = stored(BOUGHT), stored(LEFT, episode_id=stored(BOUGHT)["episode_id"])

    twice, rivals = (read_episodes(rows, [], max_abs_rr=10.0) for rows in ([same, same], [same, other]))

    assert (len(twice.episodes), twice.n_repeated, twice.refused) == (1, 1, ())
    assert (rivals.episodes, [each.reason for each in rivals.refused]) == ((), [EpisodeRefusal.RIVAL])


def test_facts_of_one_trade_that_differ_are_an_error_of_ours():
    with pytest.raises(ValueError, match="t1 bear different rr"):
        read_episodes([], [trade(1.0, START), trade(2.0, START)], max_abs_rr=10.0)
