"""`lowcap lessons --weights` and `--factors`: what an edge is made of in each regime, and who speaks for whom."""

import pytest

from console.regime_weights import COMPONENTS, EVERY_REGIME
from domain.learning.regime_weight import ALL_STATES, ComponentWeights
from tests.console.learned_rows import (
    ESCAPE,
    HOURLY,
    MADE,
    NANO,
    factor_row,
    lesson_row,
    make_taught,
    of_day,
    run_row,
    store,
    weight_row,
)
from tests.portfolio_rows import sha256

pytestmark = pytest.mark.postgres
UP, DOWN = (f"btc_macro={trend}|alt_meso=flat|bucket_meso={trend}" for trend in ("up", "down"))
NOT_FITTED = dict.fromkeys((f"effect_{name}_r" for name in COMPONENTS), None)


@pytest.fixture(scope="module")
def learned(module_database) -> None:
    """Two days of live trades; a replay taught one weighting."""
    store("learning_run", run_row(), run_row(**of_day(-1)))
    few = {"n_trades": 4, "n_fit_trades": 310, "parent": "all"}
    default = {"is_default": True, "n_fit_trades": 0, "confidence": 0.0, **NOT_FITTED}
    default |= {f"w_{name}": 1.0 for name in COMPONENTS}
    store(
        "learning_regime_weights",
        *(weight_row("all"), weight_row(UP), weight_row(DOWN, **few), weight_row("all", "add", **default)),
        weight_row(UP, **of_day(-1), n_trades=90),
    )
    store("learning_lessons", lesson_row("nano"), lesson_row("hourly", HOURLY))
    store(
        "learning_latent_factors",
        factor_row("aaaaaaaaaaaa", "nano", "hourly"),
        factor_row("bbbbbbbbbbbb", "alone", n_trades=9, min_jaccard=None, is_carried=False),
    )
    schema = make_taught("summer")
    store("learning_run", run_row(), schema=schema)
    store("learning_regime_weights", weight_row("all", n_trades=3), schema=schema)


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_weights_are_told_by_regime_those_of_every_regime_first(learned, lowcap_json):
    told = lowcap_json("lessons", "--weights")

    named = [(each["action_category"], each["regime_signature"], each["weights_of"]) for each in told["weights"]]
    assert named == [("entry", "all", None), ("entry", UP, None), ("entry", DOWN, "all"), ("add", "all", None)]
    assert (told["are_weights_served"], "lessons" in told) == (False, False)
    assert told["weights"][1]["w_variance"] == 1.3


def test_a_weighting_is_a_line_with_its_effects_and_says_whose_it_is(learned, lowcap):
    said = lines(lowcap("lessons", "--weights").stdout)

    title = "4 weightings of the parts of an edge, with R a deviation; told only, no override is made with them"
    assert said[1] == title
    parts = "1.00 (+0.00) 1.10 (+0.10) 1.20 (+0.20) 1.30 (+0.30)"
    assert f"btc_macro=up alt_meso=flat bucket_meso=up entry 120 own 120 0.75 {parts}" in said
    assert f"btc_macro=down alt_meso=flat bucket_meso=down entry 4 all 310 0.75 {parts}" in said
    assert "every regime add 120 nothing 0.00 1.00 1.00 1.00 1.00" in said


def test_whether_overrides_are_made_with_weights_is_as_the_run_was_configured(learned, lowcap, lowcap_json):
    assert lowcap("config", "set", "learning.regime_weight.is_served=true", "--reason", "a test").exit_code == 0
    store("learning_run", run_row(**of_day(1), **MADE | {"config_version": 2}))

    assert lowcap_json("lessons", "--weights")["are_weights_served"] is True
    assert lowcap_json("lessons", "--weights", "--day", "2025-06-10")["are_weights_served"] is False
    assert "; overrides are made with them" in lowcap("lessons", "--weights").stdout


def test_a_factor_is_told_with_who_speaks_for_whom_and_how_alike_they_are(learned, lowcap, lowcap_json):
    day = ("--day", "2025-06-10", "--factors")
    first, second = lowcap_json("lessons", *day)["factors"]
    said = lines(lowcap("lessons", *day).stdout)

    assert (first["representative"], first["scope"], first["min_jaccard"]) == (sha256("nano"), NANO, 0.72)
    assert (first["lesson_ids"], second["n_lessons"]) == (sorted([sha256("nano"), sha256("hourly")]), 1)
    assert said[1] == "3 lessons are 2 factors; 1 have several, in which 1 lessons make no override"
    told = f"{sha256('nano')[:8]} S1.buy_flag entry mcap_bucket=nano 2 72% 51 {sha256('hourly')[:8]}"
    assert f"aaaaaaaaaaaa {told}" in said
    assert f"bbbbbbbbbbbb (new) {sha256('alone')[:8]} - - 1 - 9 none" in said


def test_several_tables_are_told_at_once_of_one_day(learned, lowcap_json):
    told = lowcap_json("lessons", "--weights", "--factors", "--hypotheses", "--day", "2025-06-09")

    assert [each["n_trades"] for each in told["weights"]] == [90]
    assert (told["factors"], told["asked"]) == ([], 0)


def test_what_a_replay_taught_has_weights_of_its_own(learned, lowcap_json):
    told = lowcap_json("lessons", "--weights", "--factors", "--replay", "summer")

    assert ([each["n_trades"] for each in told["weights"]], told["factors"]) == ([3], [])


def test_hostile_names_do_not_reach_the_terminal(database, lowcap):
    store("learning_run", run_row())
    store("learning_regime_weights", weight_row(ESCAPE, parent=ESCAPE))
    store("learning_latent_factors", factor_row(ESCAPE, ESCAPE, representative=ESCAPE, lesson_ids=[ESCAPE, "x"]))

    assert lowcap("lessons", "--weights", "--factors").output.replace("\n", "").isprintable()


def test_the_components_are_those_of_the_learner():
    assert (tuple(COMPONENTS), EVERY_REGIME) == (ComponentWeights._fields, ALL_STATES)
