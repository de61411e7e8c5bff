"""A line over instants: it stands where the numbers say, and an instant without a number is a gap."""

from datetime import UTC, datetime, timedelta

import pytest

from console.pages.running_line import HEIGHT, LEFT, TOP, WIDTH, running_line

START = datetime(2025, 6, 1, tzinfo=UTC)


def line(*values: float | None, low: float | None = None, high: float | None = None):
    return running_line([(START + n * timedelta(days=1), value, low, high) for n, value in enumerate(values)])


def test_heights_are_linear_in_the_value_and_zero_is_on_the_scale():
    made = line(0.0, 1.0, 3.0)
    zero, one, three = (point.y for point in made.points)

    assert zero == made.zero
    assert zero - three == pytest.approx(3 * (zero - one), abs=0.2)
    assert all(TOP <= point.y <= TOP + HEIGHT for point in made.points)


def test_points_stand_at_their_instants():
    assert [point.x for point in line(1.0, 1.0, 1.0).points] == [LEFT, LEFT + WIDTH / 2, LEFT + WIDTH]


def test_an_instant_without_a_value_breaks_the_line():
    made = line(1.0, None, 2.0, 3.0)

    assert (made.path.count("M"), made.path.count("L"), len(made.points)) == (2, 1, 3)


def test_an_interval_is_inside_of_the_picture_and_its_ends_around_the_value():
    made = line(1.0, low=-2.0, high=5.0)

    (point,) = made.points
    assert TOP <= point.high < point.y < made.zero < point.low <= TOP + HEIGHT
    assert [value for _, value in made.ends] == [5.0, -2.0]


def test_nothing_known_is_no_picture():
    assert line() is None
    assert line(None, None) is None


def test_years_have_a_few_days_marked():
    made = running_line([(START, 1.0, None, None), (START + timedelta(days=900), 2.0, None, None)])

    assert 7 <= len(made.days) <= 14
