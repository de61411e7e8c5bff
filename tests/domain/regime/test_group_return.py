"""The kernel of group returns against its definition in plain Python, and what it refuses."""

import math

import numpy as np
import pytest

from domain.regime.group_return import (
    DAY_US,
    MAX_CLIP,
    NO_GROUP,
    GroupDays,
    GroupRows,
    GroupRule,
    MemberCloses,
    group_returns,
)

HOUR_US = 3_600_000_000
RULE = GroupRule(bar_us=HOUR_US, max_missing_bars=1, max_abs_log_return=math.log(3))


def hourly(close: np.ndarray) -> MemberCloses:
    """Closes of shape (n_hours, n_members) from the epoch; NaN = no bar."""
    at, member = np.nonzero(~np.isnan(close))
    return MemberCloses(at * HOUR_US, member.astype(np.uint32), close[at, member])


def returned(close: np.ndarray, days: GroupDays, *, from_hour: int = 0, rule: GroupRule = RULE) -> GroupRows:
    return group_returns(hourly(close), days, n_groups=3, start_us=from_hour * HOUR_US, rule=rule)


def world(seed: int, *, hours: int = 72, members: int = 9, gap: float = 0.3) -> tuple[np.ndarray, GroupDays]:
    """Random walks with holes, and groups that change every day."""
    rng = np.random.default_rng(seed)
    close = 10.0 ** rng.uniform(-8, 4, members) * np.exp(np.cumsum(rng.normal(0, 0.6, (hours, members)), axis=0))
    close[rng.random(close.shape) < gap] = np.nan
    group = rng.integers(NO_GROUP, 3, (hours // 24, members)).astype(np.int16)
    weight = np.where(rng.random(group.shape) < 0.2, np.nan, rng.uniform(1, 9, group.shape))
    return close, GroupDays(group, weight if seed % 2 else None)


def by_definition(close: np.ndarray, days: GroupDays, hour: int, of: int, rule: GroupRule) -> tuple[float, list[int]]:
    """Mean and counts (used, traded, dropped, clipped) of one group and hour, looking back anew."""

    def fresh(at: int, i: int) -> float:
        seen = [close[k, i] for k in range(max(0, at - rule.max_missing_bars), at + 1) if not np.isnan(close[k, i])]
        return seen[-1] if seen else math.nan

    total, weighed, counts = 0.0, 0.0, [0, 0, 0, 0]
    for i in np.flatnonzero(days.group[hour // 24] == of):
        w = 1.0 if days.weight is None else days.weight[hour // 24, i]
        move = math.log(fresh(hour, i) / fresh(hour - 1, i)) if hour else math.nan
        is_used = not math.isnan(move) and w > 0
        counts[0 if is_used else 2] += 1
        if is_used:
            counts[1] += not np.isnan(close[hour, i])
            counts[3] += abs(move) > rule.max_abs_log_return
            total += w * np.clip(move, -rule.max_abs_log_return, rule.max_abs_log_return)
            weighed += w
    return (total / weighed if counts[1] else math.nan), counts


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("max_missing", [0, 1, 3])
def test_the_kernel_equals_the_definition(seed, max_missing):
    close, days = world(seed)
    rule = RULE._replace(max_missing_bars=max_missing)
    rows = returned(close, days, rule=rule)
    hours = rows.at_us // HOUR_US
    expected = [[by_definition(close, days, hour, of, rule) for of in range(3)] for hour in hours]

    np.testing.assert_allclose(rows.log_return, [[mean for mean, _ in row] for row in expected], rtol=1e-9, atol=1e-12)
    counts = np.stack([rows.used, rows.traded, rows.dropped, rows.clipped], axis=2)
    np.testing.assert_array_equal(counts, [[count for _, count in row] for row in expected])
    assert rows.clipped.sum() > 0


@pytest.mark.parametrize("seed", [0, 1])
def test_any_cut_gives_the_same_bits(seed):
    close, days = world(seed)
    whole = returned(close, days)
    for hour in (1, 25, 47, 71):
        kept = days._replace(
            group=days.group[hour // 24 :], weight=None if days.weight is None else days.weight[hour // 24 :]
        )
        tail = returned(close, kept, from_hour=hour)
        since = whole.at_us >= hour * HOUR_US
        np.testing.assert_array_equal(tail.log_return, whole.log_return[since])
        np.testing.assert_array_equal(tail.used, whole.used[since])


def test_no_later_close_changes_an_earlier_row():
    close, days = world(4)
    whole, cut = returned(close, days), returned(close[:40], days)

    np.testing.assert_array_equal(cut.log_return, whole.log_return[whole.at_us < 40 * HOUR_US])


def test_many_members_do_not_overflow_their_product():
    close = np.array([1.0, 2.9])[:, None] * np.ones(2000)
    rows = returned(close, GroupDays(np.zeros((1, 2000), np.int16), None))

    assert rows.log_return[1, 0] == pytest.approx(math.log(2.9), rel=1e-12)


def test_a_spike_is_clipped_both_ways():
    rows = returned(np.array([[1.0], [1e6], [1.0]]), GroupDays(np.zeros((1, 1), np.int16), None))

    assert rows.log_return[:, 0].tolist() == pytest.approx([math.nan, math.log(3), -math.log(3)], nan_ok=True)
    assert rows.clipped[:, 0].tolist() == [0, 1, 1]


ONE_DAY = GroupDays(np.zeros((1, 2), np.int16), None)
GOOD = MemberCloses(np.array([0, 0, HOUR_US]), np.array([0, 1, 0]), np.ones(3))


@pytest.mark.parametrize(
    ("closes", "complaint"),
    [
        (GOOD._replace(at_us=np.array([HOUR_US, 0, HOUR_US])), "sorted"),
        (GOOD._replace(at_us=np.array([0, 5 * HOUR_US, HOUR_US])), "sorted"),
        (GOOD._replace(member=np.array([1, 0, 0])), "sorted"),
        (GOOD._replace(member=np.array([0, 0, 0])), "sorted"),
        (GOOD._replace(member=np.array([0, 2, 0])), "sorted"),
        (GOOD._replace(member=np.array([0, -1, 0])), "sorted"),
        (GOOD._replace(at_us=np.array([0, 0, HOUR_US + 1])), "grid"),
        (GOOD._replace(at_us=np.array([0, 0, DAY_US])), "within 1 days"),
        (GOOD._replace(close=np.ones(2)), "one shape"),
        *((GOOD._replace(close=np.array([1.0, 1.0, bad])), "finite") for bad in (0.0, -1.0, math.nan, math.inf)),
    ],
)
def test_what_would_poison_a_level_or_leave_the_tables_is_refused(closes, complaint):
    with pytest.raises(ValueError, match=complaint):
        group_returns(closes, ONE_DAY, n_groups=1, start_us=0, rule=RULE)


@pytest.mark.parametrize(
    ("days", "start_us", "rule", "complaint"),
    [
        (GroupDays(np.ones((1, 2), np.int16), None), 0, RULE, "Groups must be within"),
        (ONE_DAY._replace(weight=np.ones((1, 3))), 0, RULE, "weight must have"),
        (ONE_DAY, 1, RULE, "on the grid"),
        (ONE_DAY, 0, RULE._replace(max_abs_log_return=MAX_CLIP + 1), "max_abs_log_return"),
    ],
)
def test_tables_that_do_not_fit_are_refused(days, start_us, rule, complaint):
    with pytest.raises(ValueError, match=complaint):
        group_returns(GOOD, days, n_groups=1, start_us=start_us, rule=rule)
