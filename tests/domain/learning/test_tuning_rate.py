"""Rates of acting and leaving, with intervals, by cell, as they were known."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from domain.learning.tuning_cell import TuningCell, episodes_by_cell
from domain.learning.tuning_rate import TuningRate, tuning_rates
from domain.portfolio.episode import EpisodeOutcome
from domain.scopes.bitmask import mask_of
from domain.vocabulary.scope_dimension import ScopeDimension
from tests.domain.learning.tuned_episodes import CONFIG, MINUTE, ROOT, S1, episode, several, start_of

WORKED = several(26, 14, 0.65) + several(39, 21, 0.50)
NANO_1H = {ScopeDimension.MCAP_BUCKET: "nano", ScopeDimension.TIMEFRAME: "1h"}


def rate_of(episodes, cell: TuningCell = ROOT, week: int = 1) -> TuningRate:
    return next(each for each in tuning_rates(episodes, as_of_at=start_of(week), config=CONFIG) if each.cell == cell)


def test_the_worked_example_of_forty_acted_and_sixty_skipped():
    rate = rate_of(WORKED)

    assert (rate.wr.rate, rate.fpr.rate, rate.mr.rate, rate.dr.rate) == (0.65, 0.35, 0.65, 0.35)
    assert rate.mr.low == pytest.approx(0.544, abs=5e-4)
    assert not rate.mr.is_above(CONFIG.loosen_above, CONFIG.min_episodes)


def test_two_rates_of_one_denominator_mirror_each_other():
    rate = rate_of(WORKED)

    assert rate.fpr.low == pytest.approx(1 - rate.wr.high)
    assert rate.dr.high == pytest.approx(1 - rate.mr.low)


def test_of_nothing_there_is_no_rate():
    row = rate_of(several(3, 2, 0.65)).row()

    assert (row["n_acted"], row["n_skipped"], row["wr"]) == (5, 0, 0.6)
    assert [row[name] for name in ("mr", "mr_low", "mr_high", "dr", "dr_low", "dr_high")] == [None] * 6


def test_pending_and_expired_episodes_are_counted_and_in_no_rate():
    pending = replace(episode("pending"), outcome=EpisodeOutcome.PENDING, outcome_at=None)
    expired = replace(episode("expired"), outcome=EpisodeOutcome.EXPIRED)

    rate = rate_of([*WORKED, pending, expired])

    assert (rate.n_pending, rate.n_expired, rate.n_acted, rate.n_skipped) == (1, 1, 40, 60)


def test_what_was_not_known_yet_was_pending():
    later = episode("later")
    told_at: datetime = later.outcome_at + later.timeframe.duration
    known = {
        at: tuning_rates([later], as_of_at=at, config=CONFIG)[0] for at in (told_at - MINUTE, told_at, told_at + MINUTE)
    }

    assert [(each.n_pending, each.n_acted) for each in known.values()] == [(1, 0), (1, 0), (0, 1)]


def test_an_episode_is_in_one_cell_of_each_mask_and_in_none_of_what_it_does_not_know():
    timeframe, bucket = (mask_of([each]) for each in (ScopeDimension.TIMEFRAME, ScopeDimension.MCAP_BUCKET))
    known, half_known = episode("a", scope=NANO_1H), episode("b", scope={ScopeDimension.TIMEFRAME: "1h"})

    cells = episodes_by_cell([known, half_known], as_of_at=start_of(1), config=CONFIG)

    assert {cell: len(members) for cell, members in cells.items()} == {
        TuningCell(S1, 0, ()): 2,
        TuningCell(S1, timeframe, ("1h",)): 2,
        TuningCell(S1, bucket, ("nano",)): 1,
        TuningCell(S1, timeframe | bucket, ("nano", "1h")): 1,
    }


def test_an_episode_older_than_the_lookback_is_not_asked():
    old = episode("old")

    assert len(tuning_rates([old], as_of_at=start_of(12), config=CONFIG)) == 4
    assert tuning_rates([old], as_of_at=start_of(13), config=CONFIG) == ()


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_episodes_does_not_count(seed):
    shuffled = [WORKED[place] for place in np.random.default_rng(seed).permutation(len(WORKED))]

    assert tuning_rates(shuffled, as_of_at=start_of(1), config=CONFIG) == tuning_rates(
        WORKED, as_of_at=start_of(1), config=CONFIG
    )


def test_an_episode_that_comes_twice_is_an_error():
    with pytest.raises(ValueError, match="comes once"):
        tuning_rates([WORKED[0], WORKED[0]], as_of_at=start_of(1), config=CONFIG)


def test_an_instant_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="must have an offset"):
        tuning_rates(WORKED, as_of_at=start_of(1).replace(tzinfo=None), config=CONFIG)
