"""`lowcap decay`: how edges age, which curve a multiplier came from, and which cells age worst."""

import json
import math

import pytest

from console.cell_decay import REASONS, STATES, half_life
from domain.learning.edge_decay import DecayReason, DecayState
from tests.console.learned_rows import ESCAPE, HOURLY, MIDNIGHT, NANO, lesson_row, make_taught, run_row, store
from tests.console.picture_rows import exponential_fit, line_fit, snapshots
from tests.portfolio_rows import sha256

pytestmark = pytest.mark.postgres
MID, MICRO = {"mcap_bucket": "mid"}, {"mcap_bucket": "micro"}
FALLING = [0.5 * 0.5 ** (day / 8) for day in range(20)]
UNTOLD = {"decay_state": "stable", "decay_mult": 1.0, "relative_rate_per_hour": None, "reason": "no_clear_trend"}


def sentences(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def aged(module_database) -> None:
    """Cells with a fit of each kind, one without, a lesson about one of them; a hostile one in a replay."""
    store("learning_run", run_row())
    store("learning_lessons", lesson_row("nano"), lesson_row("alone", {"timeframe": "4h"}))
    history = [*snapshots(NANO, FALLING), *snapshots(HOURLY, FALLING), *snapshots(MID, [0.1] * 20)]
    store("learning_edge_history", *history, *snapshots(MICRO, [0.1, 0.2, -0.3]))
    fits = [
        line_fit(HOURLY, 0.5, -0.02, n_outliers=1),
        exponential_fit(NANO, 0.5, 8.0),
        line_fit(MID, 0.1, 0, **UNTOLD),
    ]
    store("edge_decay_fit", *fits)
    schema = make_taught("summer")
    store("learning_run", run_row(), schema=schema)
    named = json.dumps({"curator": ESCAPE})
    store("learning_edge_history", *snapshots(named, [0.1, 0.2]), schema=schema)
    store("edge_decay_fit", exponential_fit(named, -0.5, 0.5), schema=schema)


def test_the_worst_comes_first_with_the_curve_its_multiplier_came_from(aged, lowcap_json):
    told = lowcap_json("decay")

    assert [(each["scope"], each["decay_mult"], each["source"]) for each in told["cells"]] == [
        (NANO, 0.7, "exponential"),
        (HOURLY, 0.98, "line"),
        (MID, 1.0, "neither"),
    ]
    assert (told["day"], told["fitted"]) == ("2025-06-10", 3)
    assert [each["n_trades"] for each in told["cells"]] == [59, 59, 59]
    assert told["cells"][0]["edge_raw"] == pytest.approx(FALLING[-1])


def test_only_what_is_asked_for_is_listed_and_everything_is_counted(aged, lowcap_json):
    for options, scopes in (
        (("--lessons",), [NANO]),
        (("--state", "stable"), [MID]),
        (("--most", "1"), [NANO]),
        (("--pattern", "S3.buy_flag"), []),
    ):
        told = lowcap_json("decay", *options)
        assert ([each["scope"] for each in told["cells"]], told["fitted"]) == (scopes, 3)


def test_a_cell_is_found_by_its_lesson_and_by_its_own_id(aged, lowcap_json):
    cell_id = lowcap_json("decay")["cells"][0]["cell_id"]

    by_lesson, by_cell = lowcap_json("decay", sha256("nano")[:12]), lowcap_json("decay", cell_id[:8])

    assert {**by_lesson, "cell": None} == {**by_cell, "cell": None}
    assert (by_lesson["cell"]["kind"], by_cell["cell"]["kind"]) == ("lesson", "cell")
    assert by_cell["cell"]["identity"] == cell_id
    assert [each["lesson_id"] for each in by_cell["lessons"]] == [sha256("nano")]
    assert [each["edge_raw"] for each in by_cell["snapshots"]] == pytest.approx(FALLING)
    assert by_cell["snapshots"][-1]["day"] == MIDNIGHT.isoformat()


def test_a_half_life_has_the_interval_of_its_rate(aged, lowcap_json):
    told = lowcap_json("decay", sha256("nano"))["half_life"]

    z = 1.6448536269514722
    assert told["hours"] == pytest.approx(192.0)
    assert told["low_hours"] == pytest.approx(192.0 / (1 + z / 10))
    assert told["high_hours"] == pytest.approx(192.0 / (1 - z / 10))


@pytest.mark.parametrize(
    ("rate", "error", "level", "low", "high"),
    [(-0.01, 0.02, 0.9, True, False), (0.01, 0.001, 0.9, True, True), (-0.01, 0.001, None, False, False)],
    ids=["may stand for ever", "grows", "no level is known"],
)
def test_an_interval_is_open_where_the_rate_may_be_none(rate, error, level, low, high):
    fit = {"half_life_hours": math.log(2) / 0.01, "rate_per_hour": rate, "rate_se_per_hour": error}

    told = half_life(fit, level)

    assert (told["low_hours"] is not None, told["high_hours"] is not None) == (low, high)


def test_the_words_tell_both_fits_and_what_the_multiplier_came_from(aged, lowcap, lowcap_json):
    cells = lowcap_json("decay")["cells"]
    by_curve, by_line, by_none = (sentences(lowcap("decay", each["cell_id"][:10]).stdout) for each in cells)

    assert "Exponential from +0.500 R: halves in 8.0 d (90% interval: 6.9 d to 9.6 d), R2 0.90." in by_curve
    assert "It is decaying; its edge is multiplied by 0.700, by the exponential." in by_curve
    assert "Line over 20 snapshots, 1 of them left out as outliers: +0.500 R -0.0200 R a day" in by_line
    assert "No exponential (R2 0.20): no exponential describes it." in by_line
    assert "multiplied by 0.980, by the line. Mind: 1 of its snapshots left out as outliers." in by_line
    assert "multiplied by 1.000, by neither curve" in by_none


def test_a_cell_without_a_fit_says_how_much_lacks(aged, lowcap, lowcap_json):
    told = lowcap_json("decay", sha256("alone")[:20])

    assert (told["fit"], told["half_life"], told["source"], told["snapshots"]) == (None, None, None, [])
    assert told["because"] == "it has no edge on any day yet"
    assert told["snapshots_needed"] == 18
    assert "Nothing was fitted" in lowcap("decay", sha256("alone")[:20]).stdout


def test_what_a_replay_taught_is_apart_and_its_names_are_not_obeyed(aged, lowcap, lowcap_json):
    (cell,) = lowcap_json("decay", "--replay", "summer")["cells"]
    shown = (
        lowcap("decay", cell["cell_id"][:8], "--replay", "summer").stdout + lowcap("decay", "--replay", "summer").stdout
    )

    assert cell["scope"] == {"curator": ESCAPE}
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown)
    assert "Mind: the newest edge has the other sign than the exponential. Mind: it halves in less" in sentences(shown)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("zz",), "Expected at least 8 digits"),
        (("0" * 64,), "No lesson, and no cell with an edge on 2025-06-10"),
        (("--state", "dying"), "No state 'dying'; there are decaying, stable, improving"),
        (("--pattern", "S1.buy"), "did you mean"),
        (("--day", "2025-01-01"), "was not learned"),
        (("--replay", "winter"), "No replay 'winter'"),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(aged, lowcap, arguments, said):
    refused = lowcap("decay", *arguments)

    assert refused.exit_code == 2
    assert said in sentences(refused.stderr)


def test_before_anything_is_learned_it_says_how_to(lowcap, database):
    assert "lowcap learn" in lowcap("decay").stdout
    assert lowcap("decay", "0" * 8).exit_code == 2


def test_every_reason_of_the_fit_has_words_and_every_fitted_state_can_be_asked_for():
    assert set(REASONS) == {reason.value for reason in DecayReason}
    assert set(STATES) == {state.value for state in DecayState} - {"insufficient"}
