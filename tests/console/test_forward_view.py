"""`lowcap forward`: what learned sizes made beside neutral ones, how surely, and which overrides are noise."""

from typing import Any

import pytest

from console.forward_view import VERDICTS
from domain.learning.walk_forward_claim import ForwardVerdict
from learning_assets.learning_table import Day
from learning_assets.walk_forward import report_row
from tests.console.learned_rows import DAY, ESCAPE, MADE, MIDNIGHT, make_taught, of_day, store
from tests.domain.learning.forward_worlds import BUCKET, forward, live_set, report, says, season

pytestmark = pytest.mark.postgres
SKILL = says(2.0, "skill-0001")
NOISE = says(0.5, "noise-0001", {BUCKET: "nano"})


def walked(*rules: dict[str, Any], own_rr: float = 2.0, **values: Any) -> dict[str, Any]:
    """Row of a day as the asset makes it, of trades that rules applied to."""
    weekly = [live_set(day, *rules) for day in range(0, 49, 7)]
    told = report(forward(*season(own_rr, 0.0), sets=weekly))
    day = Day(**{"midnight": MIDNIGHT, "as_of": MIDNIGHT + DAY})
    return report_row(day, told) | MADE | values


def sentences(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def walked_days(module_database) -> dict[str, Any]:
    """A day on which an override helped, the day before without any, and one of a replay; returns the first."""
    row = walked(SKILL)
    store("walk_forward", row, walked(**of_day(-1)))
    store("walk_forward", walked(NOISE, own_rr=0.0), schema=make_taught("summer"))
    return row


def test_the_newest_day_is_told_with_all_its_numbers(walked_days, lowcap_json):
    told = lowcap_json("forward")

    assert (told["day"], told["as_of"], told["interval_level"]) == ("2025-06-10", "2025-06-11T00:00:00+00:00", 0.9)
    for name in ("n_trades", "n_moved", "difference_usd", "difference_low", "hit_rate", "n_overrides", "n_noise"):
        assert told["forward"][name] == walked_days[name]
    assert told["report"]["claims"][0]["claim"]["lesson_id"] == "skill-0001"
    assert told["problem"] is None


def test_what_learned_sizes_made_is_said_in_words_with_its_interval(walked_days, lowcap):
    row, said = walked_days, sentences(lowcap("forward").stdout)

    assert f"Day 2025-06-10: {row['n_trades']} trades closed before 2025-06-11T00:00Z" in said
    made = f"Learned sizes made {row['pnl_learned_usd']:+,.2f} USD, neutral ones {row['pnl_neutral_usd']:+,.2f} USD"
    around = f"(90% interval {row['difference_low']:+,.2f} to {row['difference_high']:+,.2f})"
    assert f"{made}: {row['difference_usd']:+,.2f} USD {around}, which chance alone hardly makes." in said
    assert f"Sizes were moved the right way in {round(row['hit_rate'] * row['n_moved'])} of {row['n_moved']}" in said
    assert "1 overrides applied to a trade, 0 of them are noise" in said
    assert "skill-00 S1.buy_flag entry larger 80 80" in said


def test_an_override_that_cannot_be_told_from_none_is_called_noise(walked_days, lowcap):
    said = sentences(lowcap("forward", "--replay", "summer").stdout)

    assert "which cannot be told from no difference" in said
    assert "1 overrides applied to a trade, 1 of them are noise" in said
    assert "noise: cannot be told from no effect" in said


def test_a_day_without_overrides_says_that_no_size_was_moved(walked_days, lowcap):
    said = sentences(lowcap("forward", "--day", "2025-06-09").stdout)

    assert "0 of them at another size than the neutral one" in said
    assert "No size was moved, so none was moved the right way." in said
    assert "No override applied to a trade." in said


def test_a_day_that_was_not_walked_is_refused_and_without_any_it_says_what_to_do(walked_days, lowcap):
    refused = lowcap("forward", "--day", "2025-06-12")

    assert (refused.exit_code, "the days from 2025-06-09 to 2025-06-10 were" in refused.stderr) == (2, True)


def test_before_anything_was_learned_it_says_what_to_do(database, lowcap, lowcap_json):
    assert lowcap("forward").stdout == "Nothing was learned yet; first: lowcap learn --from DAY\n"
    assert lowcap_json("forward")["forward"] is None
    make_taught("spring")
    assert "lowcap learn --replay spring" in lowcap("forward", "--replay", "spring").stdout


def test_too_few_days_are_said_instead_of_an_interval(database, lowcap):
    store("walk_forward", walked(difference_low=None, difference_high=None))

    assert "; too few days to say how surely." in lowcap("forward").stdout


@pytest.mark.parametrize("report", ["{}", '{"claims":[], "n_days": NULL}', '{"n_days":1,"n_days":2}'])
def test_a_report_nobody_can_read_leaves_the_main_numbers(database, lowcap, lowcap_json, report):
    store("walk_forward", walked(report=report.replace("NULL", "null")))

    result = lowcap("forward")

    assert "Learned sizes made" in result.stdout
    assert "The details of this report cannot be read: " in result.stderr
    assert lowcap_json("forward")["report"] is None


def test_hostile_names_do_not_reach_the_terminal(database, lowcap):
    store("walk_forward", walked(says(2.0, ESCAPE)))

    assert lowcap("forward").output.replace("\n", "").isprintable()


def test_every_verdict_has_its_words():
    assert set(VERDICTS) == set(ForwardVerdict)
