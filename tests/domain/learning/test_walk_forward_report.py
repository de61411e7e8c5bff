"""Learned against neutral sizing: totals, intervals over days, hits, and what later trades say of each claim."""

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.config.override import WalkForwardConfig
from domain.learning.day_bootstrap import DayBootstrap
from domain.learning.walk_forward_claim import ForwardVerdict
from domain.learning.walk_forward_report import report_document
from tests.domain.learning.forward_worlds import CONFIG, buy, forward, live_set, report, says, season, won
from tests.domain.learning.override_worlds import DAY, T0

WEEKLY_DOUBLES = [live_set(day, says(2.0)) for day in range(0, 49, 7)]
WEEKLY_HALVES = [live_set(day, says(0.5)) for day in range(0, 49, 7)]


def told(rows, config: WalkForwardConfig = CONFIG) -> str:
    return json.dumps(report_document(report(rows, config)), allow_nan=False)


def test_nothing_makes_no_rate_and_no_interval():
    found = report([])

    assert (found.n_trades, found.neutral_usd, found.learned_usd, found.claims) == (0, 0.0, 0.0, ())
    assert (found.difference_usd.value, found.size_neutral_usd.value) == (0.0, 0.0)
    unknown = (found.size_ratio, found.hits.rate_frac, found.difference_usd.lower, found.size_neutral_usd.upper)
    assert all(math.isnan(number) for number in unknown)


def test_totals_are_those_of_the_trades():
    rows = forward(buy("a", **won(1)), buy("b", **won(-2)), buy("c", bucket="nano", **won(4)), sets=WEEKLY_DOUBLES)
    found = report(rows)

    assert (found.n_trades, found.n_moved, found.n_days) == (3, 2, 1)
    assert (found.neutral_usd, found.learned_usd) == (pytest.approx(30.0), pytest.approx(20.0))
    assert found.difference_usd.value == pytest.approx(-10.0)
    assert found.size_ratio == pytest.approx(5 / 3)
    assert found.size_neutral_usd.value == pytest.approx(20.0 * 3 / 5 - 30.0)


def test_a_trade_of_unknown_size_is_counted_and_in_no_sum():
    rows = forward(buy("a", **won(1)), buy("b", filled_usd=None, **won(7)), sets=WEEKLY_DOUBLES)

    assert (report(rows).n_trades, report(rows).n_unknown, report(rows).neutral_usd) == (1, 1, 10.0)


def test_doubling_everything_in_a_good_season_gains_money_but_shows_no_skill():
    everything = [live_set(day, says(2.0, scope={})) for day in range(0, 49, 7)]
    found = report(forward(*season(1.0, 1.0), sets=everything))

    assert found.difference_usd.lower > 0
    assert list(asdict(found.size_neutral_usd).values()) == pytest.approx([0.0] * 3, abs=1e-9)


def test_size_given_to_the_better_trades_is_skill_even_at_neutral_size():
    found = report(forward(*season(1.5, 0.0), sets=WEEKLY_DOUBLES))

    assert found.size_neutral_usd.lower > 0


@pytest.mark.parametrize(
    ("sets", "own", "others", "verdict"),
    [
        (WEEKLY_DOUBLES, 1.5, 0.0, ForwardVerdict.CONFIRMED),
        (WEEKLY_DOUBLES, 0.0, 1.5, ForwardVerdict.CONTRADICTED),
        (WEEKLY_HALVES, 0.0, 1.5, ForwardVerdict.CONFIRMED),
        (WEEKLY_HALVES, 1.5, 0.0, ForwardVerdict.CONTRADICTED),
        (WEEKLY_DOUBLES, 1.0, 1.0, ForwardVerdict.NOISE),
    ],
)
def test_later_trades_confirm_or_contradict_a_claim_or_say_nothing(sets, own, others, verdict):
    (claim,) = report(forward(*season(own, others), sets=sets)).claims

    assert (claim.verdict, claim.n_trades, claim.n_others) == (verdict, 80, 80)
    assert claim.difference_r.lower <= claim.difference_r.value <= claim.difference_r.upper
    assert claim.difference_r.value == pytest.approx(own - others, abs=0.4)


def test_the_parts_of_all_claims_sum_to_the_difference():
    rows = forward(*season(1.0, 0.0), sets=[live_set(0, says(2.0), says(0.8, "l2", {}))])
    found = report(rows)

    assert len(found.claims) == 2
    assert math.fsum(each.part_usd for each in found.claims) == pytest.approx(found.difference_usd.value)


@pytest.mark.parametrize(
    ("n_days", "config"), [(4, CONFIG), (4, CONFIG.model_copy(update={"min_trades": 2})), (3, CONFIG)]
)
def test_few_days_say_nothing_of_a_claim_however_clear(n_days, config):
    found = report(forward(*season(5.0, -5.0, n_days=n_days), sets=WEEKLY_DOUBLES), config)

    assert found.claims[0].verdict is ForwardVerdict.TOO_FEW
    assert math.isnan(found.difference_usd.lower)


def test_few_trades_say_nothing_of_a_claim_whatever_their_days():
    rows = forward(*season(5.0, -5.0, n_days=6), sets=WEEKLY_DOUBLES)
    strict = CONFIG.model_copy(update={"min_trades": 13})

    assert report(rows).claims[0].verdict is ForwardVerdict.CONFIRMED
    assert report(rows, strict).claims[0].verdict is ForwardVerdict.TOO_FEW


def test_only_trades_bought_while_a_claim_was_live_are_its_others():
    early = [buy(f"e{i}", -30 + i, "nano", **won(-10)) for i in range(20)]
    (claim,) = report(forward(*early, *season(1.0, 1.0), sets=WEEKLY_DOUBLES)).claims

    assert (claim.n_others, claim.verdict) == (80, ForwardVerdict.NOISE)


def test_many_trades_of_one_day_are_as_sure_as_that_day():
    rng = np.random.default_rng(5)
    shocks = rng.normal(0.0, 2.0, 12)
    daily = [buy(f"d{day}-{i}", 1 + day + i / 100, **won(shocks[day])) for day in range(12) for i in range(20)]
    wide = report(forward(*daily, sets=WEEKLY_DOUBLES)).difference_usd
    spread = [replace(each, closed_at=T0 + (60 + i) * DAY) for i, each in enumerate(daily)]
    narrow = report(forward(*spread, sets=WEEKLY_DOUBLES)).difference_usd

    assert wide.value == pytest.approx(narrow.value)
    assert wide.upper - wide.lower > 3 * (narrow.upper - narrow.lower)


def test_a_move_towards_the_better_side_of_the_mean_is_a_hit():
    outcomes = {"a": 3, "b": 2, "c": -1, "d": 1}
    rows = forward(
        *(buy(name, i + 1.0, **won(rr)) for i, (name, rr) in enumerate(outcomes.items())), sets=WEEKLY_DOUBLES
    )
    hits = report(rows).hits

    assert (hits.n_trades, hits.n_hits, hits.rate_frac, hits.by_chance_frac) == (4, 2, 0.5, 0.5)
    assert (hits.lower_frac, hits.upper_frac) == (pytest.approx(0.1824, abs=1e-4), pytest.approx(0.8176, abs=1e-4))


def test_the_rate_by_chance_is_that_of_the_moves_dealt_out_at_random():
    rows = forward(*(buy(f"t{i}", 1.0 + i, **won(10 if i == 0 else 0)) for i in range(10)), sets=WEEKLY_DOUBLES)
    halved = forward(*(buy(f"t{i}", 1.0 + i, **won(10 if i == 0 else 0)) for i in range(10)), sets=WEEKLY_HALVES)

    assert (report(rows).hits.by_chance_frac, report(rows).hits.rate_frac) == (pytest.approx(0.1), 0.1)
    assert (report(halved).hits.by_chance_frac, report(halved).hits.rate_frac) == (pytest.approx(0.9), 0.9)


def test_a_trade_at_the_mean_or_not_moved_is_no_trial():
    at_the_mean = forward(*(buy(f"t{i}", **won(1)) for i in range(3)), sets=WEEKLY_DOUBLES)
    not_moved = forward(buy("a", **won(1)), buy("b", **won(2)))

    assert (report(at_the_mean).hits.n_trades, report(not_moved).hits.n_trades) == (0, 0)


def test_one_huge_outcome_counts_as_the_bound():
    rows = [forward(buy("a", **won(rr)), buy("b", 2.0, "nano", **won(0)), sets=WEEKLY_DOUBLES) for rr in (10, 1e6)]

    assert [report(each).claims[0].difference_r.value for each in rows] == [10.0, 10.0]


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(60)))
def test_the_order_of_the_rows_changes_no_bit(order):
    rows = forward(*season(1.0, 0.0, n_days=15), sets=WEEKLY_DOUBLES)

    assert told([rows[place] for place in order]) == told(rows)


def test_the_seed_decides_the_interval_and_nothing_else():
    rows = forward(*season(1.0, 0.0), sets=WEEKLY_DOUBLES)
    one, other = report(rows), report(rows, CONFIG.model_copy(update={"seed": 1}))

    assert one.difference_usd.value == other.difference_usd.value
    assert one.difference_usd.lower != other.difference_usd.lower
    assert asdict(one) == asdict(report(rows))


def test_a_document_has_null_for_what_is_not_known():
    document = json.loads(told([]))

    assert (document["size_ratio"], document["difference_usd"]["lower"]) == (None, None)
    assert json.loads(told(forward(*season(1.0, 0.0), sets=WEEKLY_DOUBLES)))["claims"][0]["verdict"] == "confirmed"


def test_a_trade_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="comes once"):
        report([*forward(buy()), *forward(buy())])


def test_the_interval_of_a_mean_over_days_covers_it_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        days = DayBootstrap([T0 + day * DAY for day in range(30)], CONFIG)
        lower, upper = days.interval(days.sums(rng.normal(size=30)) / 30, days.n_days)
        covered += lower <= 0 <= upper

    assert covered / 200 == pytest.approx(0.88, abs=0.06)
