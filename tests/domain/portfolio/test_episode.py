"""Windows of opportunity: where they begin and end, what decided, what came of it, and that only time moves them."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.config.plan import EpisodeConfig
from domain.portfolio.episode import Episode, episode_id, expire_episode, is_in_retest_zone, step_episodes
from domain.portfolio.episode_column import EPISODE_COLUMNS, episode_columns, episode_from_columns
from domain.portfolio.gate import Gate, blocking_gates
from domain.portfolio.token_bar import TokenBar
from domain.scopes.pattern_key import TuningFamily
from domain.vocabulary.action import OrderSide
from domain.vocabulary.uptrend import UptrendState
from tests.domain.portfolio.token_bars import HOUR, START, any_bar, hours, planned, simulated, token_bar, watched

CONFIG = EpisodeConfig()
S1, S3 = TuningFamily.S1_ENTRY, TuningFamily.S3_RETEST
WEAK = {"ts_with_boost": 0.50}
BEGIN = token_bar("S1", prev_state=UptrendState.S0, **WEAK)
ABOVE = token_bar("S3", close_usd=104.0, dx=0.1)


def told(
    bars: list[TokenBar], *, buys: bool = True, stored: bool = False, config: EpisodeConfig = CONFIG
) -> list[Episode]:
    """All windows after some bars. `buys`: orders are sent. `stored`: through the database's columns at every step."""
    known: dict[tuple[TuningFamily, object], Episode] = {}
    for bar in bars:
        decision = planned(watched(bar))
        is_buy = buys and decision.category is not None and decision.category.side is OrderSide.BUY
        pending = [episode for episode in known.values() if episode.is_pending]
        if stored:
            pending = [through_columns(episode) for episode in pending]
        changed = step_episodes(pending, bar, decision, trade_id="trade" if is_buy else None, config=config)
        known |= {(episode.family, episode.started_at): episode for episode in changed}
    return list(known.values())


def through_columns(episode: Episode) -> Episode:
    row = episode_columns(episode)
    texts = {name: json.loads(json.dumps(row[name], allow_nan=False)) for name in ("gates", "samples")}
    return episode_from_columns(row | texts)


def only(bars: list[TokenBar], **options) -> Episode:
    (episode,) = told(hours(bars), **options)
    return episode


def at(hour: int):
    return START + hour * HOUR


def test_an_s1_window_begins_on_s0_to_s1_and_ends_on_the_first_bar_outside():
    episode = only([BEGIN, token_bar("S1", **WEAK), token_bar("S2")], buys=False)

    assert (episode.family, episode.started_at, episode.ended_at) == (S1, at(0), at(2))
    assert (episode.decision, episode.outcome) == ("skipped", "pending")


@pytest.mark.parametrize("before", ["S1", "S2", "S4"])
def test_an_s1_that_was_not_seen_to_begin_is_no_window(before):
    assert told([token_bar("S1", prev_state=UptrendState(before))]) == []


@pytest.mark.parametrize(
    ("close", "inside"), [(95.0, True), (97.0, True), (100.0, True), (94.9, False), (100.1, False)]
)
def test_an_s3_window_begins_between_ema333_and_ema144_whatever_the_flag_says(close, inside):
    bar = token_bar("S3", close_usd=close, ts_with_boost=0.1)

    assert is_in_retest_zone(bar) is inside
    assert [episode.family for episode in told([bar])] == ([S3] if inside else [])


def test_a_bootstrapped_s3_has_no_windows():
    assert told([token_bar("S3", bootstrapped=True)]) == []


def test_a_buy_makes_a_window_acted_with_the_gates_of_that_bar():
    episode = only([BEGIN, token_bar("S1"), token_bar("S1", **WEAK), token_bar("S2")])

    assert (episode.decision, episode.decided_at, episode.trade_id) == ("acted", at(1), "trade")
    assert all(gate.passed for gate in episode.gates)
    assert {gate.name for gate in episode.gates} >= {Gate.NEAR_EMA60, Gate.TREND_STRENGTH, Gate.S1_ONCE}


def test_an_order_that_was_never_sent_does_not_make_it_acted():
    episode = only([BEGIN, token_bar("S1"), token_bar("S2")], buys=False)

    assert (episode.decision, episode.trade_id) == ("skipped", None)


def test_while_nothing_is_decided_the_columns_of_the_decision_are_empty():
    episode = only([BEGIN])

    assert (episode.decision, episode.decided_at, episode.gates) == (None, None, None)


def test_a_skip_is_explained_by_the_bar_that_came_nearest_to_a_buy():
    far = token_bar("S1", close_usd=103.0, ts_with_boost=0.50)
    near = token_bar("S1", ts_with_boost=0.59)
    nearly = token_bar("S1", ts_with_boost=0.52)
    episode = only([replace(far, prev_state=UptrendState.S0), nearly, near, near, far, token_bar("S0")])
    gate = next(gate for gate in episode.gates if gate.name is Gate.TREND_STRENGTH)

    assert episode.decided_at == at(2)
    assert blocking_gates(episode.gates) == (Gate.TREND_STRENGTH,)
    assert (gate.value, gate.threshold_base, gate.threshold) == (0.59, 0.60, 0.60)
    assert gate.margin == pytest.approx(-0.1)


S2_TRIM = token_bar("S2", "trim_flag", close_usd=112.0)
LOW_TRIM = token_bar("S2", "trim_flag", close_usd=100.5)


@pytest.mark.parametrize(
    ("later", "outcome", "hour"),
    [
        ([token_bar("S0")], "failure", 2),
        ([token_bar("S2"), token_bar("S0")], "failure", 3),
        ([token_bar("S2"), token_bar("S1", **WEAK), token_bar("S0")], "failure", 4),
        ([token_bar("S3")], "success", 2),
        ([token_bar("S2"), ABOVE], "success", 3),
        ([token_bar("S2"), S2_TRIM], "success", 3),
        ([token_bar("S2"), LOW_TRIM, token_bar("S0")], "failure", 4),
        ([token_bar("S2"), LOW_TRIM, token_bar("S2")], "pending", None),
        ([token_bar("S2"), token_bar("S4")], "expired", 3),
    ],
)
@pytest.mark.parametrize("second", [token_bar("S1"), token_bar("S1", **WEAK)], ids=["acted", "skipped"])
def test_what_came_of_an_s1_window(second, later, outcome, hour):
    episodes = told(hours([BEGIN, second, *later]))
    episode = next(each for each in episodes if each.family is S1)

    assert (episode.outcome, episode.outcome_at) == (outcome, None if hour is None else at(hour))
    assert episode.decision == ("acted" if second.ts_with_boost > 0.6 else "skipped")


DIP = token_bar("S3", close_usd=96.0, ts_with_boost=0.50)
S3_TRIM = token_bar("S3", "trim_flag", close_usd=112.0)


@pytest.mark.parametrize(
    ("bars", "outcome", "ended"),
    [
        ([DIP, ABOVE], "pending", 1),
        ([DIP, ABOVE, S3_TRIM], "success", 1),
        ([DIP, S3_TRIM], "success", 1),
        ([DIP, token_bar("S0")], "failure", 1),
        ([DIP, ABOVE, token_bar("S0")], "failure", 1),
        ([DIP, ABOVE, DIP, ABOVE, S3_TRIM], "success", 3),
        ([DIP, ABOVE, token_bar("S1", prev_state=UptrendState.S1)], "failure", 1),
        ([DIP, ABOVE, token_bar("S4")], "expired", 1),
    ],
)
def test_what_came_of_an_s3_window(bars, outcome, ended):
    episode = only(bars, buys=False)

    assert (episode.decision, episode.outcome, episode.ended_at) == ("skipped", outcome, at(ended))


def test_a_trim_below_the_price_of_the_bar_that_decided_is_no_success():
    bought = token_bar("S3", close_usd=99.0, dx=0.9)
    below, above = (token_bar("S3", "trim_flag", close_usd=close, ema144=98.0) for close in (98.5, 99.5))

    assert only([bought, below]).outcome == "pending"
    assert only([bought, above]).outcome == "success"


def test_a_return_to_the_zone_before_the_outcome_is_the_same_window_told_once():
    episode = only([DIP, ABOVE, token_bar("S3"), ABOVE, S3_TRIM])

    assert (episode.started_at, episode.decision, episode.decided_at) == (at(0), "acted", at(2))
    assert (episode.outcome, episode.outcome_at) == ("success", at(4))


def test_a_window_that_goes_on_is_undecided_again():
    gone_on = only([DIP, ABOVE, DIP])

    assert (gone_on.ended_at, gone_on.decision, gone_on.outcome) == (None, None, "pending")


def test_after_its_outcome_the_next_dip_is_another_window():
    episodes = told(hours([DIP, ABOVE, S3_TRIM, DIP, token_bar("S0")]), buys=False)

    assert [(each.started_at, each.outcome) for each in episodes] == [(at(0), "success"), (at(3), "failure")]


def test_an_s0_that_was_not_ticked_is_still_a_failure():
    again = replace(token_bar("S1", hour=9, **WEAK), prev_state=UptrendState.S0)
    first, second = told([BEGIN, token_bar("S2", hour=1), again])
    later = token_bar("S3", hour=9, s3_start_at=at(8), ts_with_boost=0.5)
    broken, anew = told([DIP, later], buys=False)

    assert (first.outcome, second.outcome, second.started_at) == ("failure", "pending", at(9))
    assert (broken.outcome, anew.started_at) == ("failure", at(9))


def test_an_episode_too_old_expires_with_or_without_bars():
    days = CONFIG.max_age_days
    old = only([BEGIN, token_bar("S2")])
    last = token_bar("S2", hour=24 * days)

    assert expire_episode(old, at(24 * days - 1), CONFIG) == old
    assert expire_episode(old, at(24 * days), CONFIG).outcome == "expired"
    assert told([BEGIN, token_bar("S2", hour=1), last])[0].outcome_at == last.opened_at


def test_of_a_long_window_the_first_and_the_latest_eleven_bars_are_kept():
    episode = only([BEGIN, *[token_bar("S1", **WEAK)] * 30])

    assert [sample.at for sample in episode.samples] == [at(0), *(at(hour) for hour in range(20, 31))]


def test_the_bar_that_decides_is_known_even_when_it_is_no_sample_any_more():
    near = token_bar("S1", ts_with_boost=0.59)
    episode = only([BEGIN, near, *[token_bar("S1", **WEAK)] * 30, token_bar("S0")])

    assert episode.decided_at == at(1)
    assert at(1) not in {sample.at for sample in episode.samples}


def test_a_position_that_may_not_buy_at_all_begins_no_window_but_its_old_ones_go_on():
    pending = told([BEGIN])
    decision = planned(watched(token_bar("S0", hour=1)))
    (ended,) = step_episodes(pending, token_bar("S0", hour=1), decision, trade_id=None, config=CONFIG, may_begin=False)

    assert ended.outcome == "failure"
    assert step_episodes([], BEGIN, planned(watched(BEGIN)), trade_id=None, config=CONFIG, may_begin=False) == ()


sequences = st.lists(any_bar() | st.sampled_from([BEGIN, DIP, ABOVE, S2_TRIM, S3_TRIM]), max_size=25).map(hours)


@given(sequences, st.booleans())
@settings(deadline=None)
def test_step_by_step_through_the_database_equals_the_batch_in_memory(bars, buys):
    assert told(bars, buys=buys, stored=True) == told(bars, buys=buys)


@given(sequences, st.booleans())
@settings(deadline=None)
def test_a_bar_told_twice_changes_nothing(bars, buys):
    twice = [bar for bar in bars for _ in range(2)]

    assert told(twice, buys=buys) == told(bars, buys=buys)


@given(sequences, st.booleans())
@settings(deadline=None)
def test_later_bars_never_change_an_outcome(bars, buys):
    concluded = [episode for episode in told(bars[:12], buys=buys) if not episode.is_pending]

    assert [episode for episode in told(bars, buys=buys) if episode in concluded] == concluded


@given(sequences, st.booleans())
@settings(deadline=None)
def test_a_window_is_stored_as_the_table_wants_it(bars, buys):
    for episode in told(bars, buys=buys):
        row = episode_columns(episode)

        assert tuple(row) == EPISODE_COLUMNS
        assert (row["outcome"] == "pending") is (row["outcome_at"] is None)
        assert (row["decision"] is None) is (row["gates"] is None) is (row["decided_at"] is None)
        assert (row["decision"] == "acted") is (row["trade_id"] is not None)
        assert row["decision"] or row["ended_at"] is None
        assert len(row["samples"]["bars"]) <= 12


@given(sequences)
@settings(deadline=None)
def test_at_most_one_window_of_a_family_waits_for_its_outcome(bars):
    waiting = [episode.family for episode in told(bars) if episode.is_pending]

    assert len(waiting) == len(set(waiting))


def test_a_simulated_year_has_windows_of_both_families_and_both_outcomes():
    episodes = [episode for seed in range(6) for episode in told(simulated(seed))]
    counted = {(each.family, each.outcome.value) for each in episodes}

    assert counted >= {(family, outcome) for family in (S1, S3) for outcome in ("success", "failure")}
    assert {each.decision for each in episodes if each.ended_at} == {"acted", "skipped"}


def test_an_episode_has_one_id_whoever_asks():
    ids = {episode_id("p", family, START + hour * HOUR) for family in TuningFamily for hour in range(3)}

    assert len(ids) == 6
    assert episode_id("p", S1, START) == episode_id("p", S1, START + timedelta(0))


@pytest.mark.parametrize("wrong", [{"samples": {}}, {"outcome": "neutral"}, {"family": "pm.s2"}])
def test_a_row_this_code_did_not_write_is_refused(wrong):
    with pytest.raises(ValueError, match=r"samples|neutral|pm.s2"):
        episode_from_columns(episode_columns(only([BEGIN])) | wrong)
