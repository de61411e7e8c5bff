"""Checks that show what of meta-learning is worth a look: each once green, once red."""

from collections.abc import Iterator
from typing import Any

import pytest

from learning_assets import learning_lessons, learning_regime_weights, llm_learning
from learning_assets.checks import (
    no_edge_halved_since_birth,
    no_lesson_is_short_lived,
    regime_weights_tell_regimes_apart,
)
from learning_assets.definitions import build_definitions
from resources.deployment import Deployment
from resources.pm_settings import PmSettings
from tests.domain.learning.research_days import cell
from tests.learned_world import as_owner
from tests.research_tables import DAY, LEARNING, MIDNIGHT, store, store_day

pytestmark = pytest.mark.postgres
RETIRED = {"status": "'retired'", "retired_on": "born_on"}
STATES = ("up", "flat", "down")
COMPONENTS = ("time_efficiency", "field_coherence", "recurrence", "variance")


@pytest.fixture(autouse=True)
def world(module_database) -> Iterator[None]:
    yield
    as_owner("TRUNCATE learning.learning_lessons, learning.learning_regime_weights")


def weights(state: str, weight: float, **changed: Any) -> dict[str, Any]:
    """A regime with a fit of its own, every weight the same."""
    row: dict[str, Any] = {"regime_signature": f"btc_macro={state}|alt_meso=up|bucket_meso=up"}
    row |= {"action_category": "entry", "n_trades": 40, "n_fit_trades": 40, "confidence": 0.3}
    row |= {f"w_{name}": weight for name in COMPONENTS} | {f"effect_{name}_r": 0.1 for name in COMPONENTS}
    return row | {"parent": None, "is_default": False, "timestamp": MIDNIGHT, "as_of": MIDNIGHT + DAY} | changed


def spread(*told: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
    """What the check says of these weights."""
    store(learning_regime_weights.TABLE, 0, told)
    result = regime_weights_tell_regimes_apart(LEARNING, PmSettings())
    return result.passed, {name: each.value for name, each in result.metadata.items()}


def test_weights_that_differ_between_regimes_are_as_they_should_be():
    passed, told = spread(*map(weights, STATES, (0.8, 1.0, 1.2)))

    assert (passed, told["regimes_fitted"], told["weights_of_one"], told["clamped_frac"]) == (True, 3, 4, 0.0)


def test_weights_that_are_1_in_three_regimes_tell_nothing_and_are_shown():
    passed, told = spread(*(weights(state, 1.0) for state in STATES))

    assert (passed, told["weights_of_one"]) == (False, 12)


def test_of_regimes_without_a_fit_of_their_own_nothing_is_asked():
    of_all = weights("up", 1.7, regime_signature="all")
    borrowed = [weights(state, 1.7, parent="all") for state in STATES]

    assert spread() == (True, spread(of_all, *borrowed)[1])
    assert spread(*(weights(state, 1.0, is_default=True) for state in STATES))[0]
    assert spread(*(weights(state, 1.0) for state in STATES[:2]))[0]


def test_weights_most_of_which_stand_at_a_clamp_are_shown():
    passed, told = spread(*map(weights, STATES, (0.3, 1.7, 1.1)))

    assert (passed, told["clamped_frac"]) == (False, 0.6667)
    assert spread(*map(weights, (*STATES[:2],), (1.7, 1.1)))[0]


def lessons(**columns: str) -> None:
    """One active lesson of day 1, with columns as SQL has them; day 0 had another."""
    store_day(0, lessons=[cell(0.5, timeframe="4h")])
    store_day(1, lessons=[cell(0.5, timeframe="1h")])
    said = ", ".join(f"{name} = {value}" for name, value in columns.items())
    as_owner(f"UPDATE learning.learning_lessons SET {said} WHERE \"timestamp\" = '{MIDNIGHT + DAY}'")


@pytest.mark.parametrize(
    ("columns", "passed"),
    [
        ({"half_life_hours": "23.9", "decay_state": "'decaying'"}, False),
        ({"half_life_hours": "24", "decay_state": "'decaying'"}, True),
        ({"half_life_hours": "5", "decay_state": "'improving'"}, True),
        ({"half_life_hours": "5", "decay_state": "'decaying'", **RETIRED}, True),
        ({"half_life_hours": "NULL"}, True),
    ],
    ids=["halves within a day", "halves in a day", "doubles within a day", "is retired", "has no half-life"],
)
def test_an_active_lesson_that_dies_before_its_use_is_shown(columns, passed):
    lessons(**columns)
    result = no_lesson_is_short_lived(LEARNING, PmSettings())

    assert result.passed is passed
    shown = result.metadata["half_life_hours"].value
    assert list(shown.values()) == ([] if passed else [23.9])
    assert all('"timeframe":"1h"' in name for name in shown)


@pytest.mark.parametrize(
    ("birth", "now", "passed"),
    [
        (1.0, 0.49, False),
        (1.0, 0.5, True),
        (-1.0, -0.4, False),
        (-1.0, -0.6, True),
        (1.0, -1.0, False),
        (0.2, 0.9, True),
    ],
)
def test_an_edge_that_halved_since_birth_or_turned_is_shown(birth, now, passed):
    lessons(edge_at_birth=str(birth), edge_current=str(now))
    result = no_edge_halved_since_birth(LEARNING, PmSettings())

    assert result.passed is passed
    shown = result.metadata["halved"].value
    assert list(shown.values()) == ([] if passed else [f"{birth:.3f} -> {now:.3f} R"])


def test_a_lesson_that_is_retired_or_was_never_measured_raises_no_alarm():
    lessons(edge_at_birth="1", edge_current="0.1", **RETIRED)
    assert no_edge_halved_since_birth(LEARNING, PmSettings()).passed
    lessons(edge_at_birth="NULL", edge_current="NULL")
    assert no_edge_halved_since_birth(LEARNING, PmSettings()).passed


def test_all_that_show_are_part_of_the_location_and_stand_beside_the_tables_they_are_about():
    graph = build_definitions(Deployment.TEST, as_of=MIDNIGHT.isoformat()).resolve_asset_graph()
    by_check = {key.name: ".".join(key.asset_key.path) for key in graph.asset_check_keys}

    assert by_check["regime_weights_tell_regimes_apart"] == learning_regime_weights.TABLE
    assert by_check["no_lesson_is_short_lived"] == by_check["no_edge_halved_since_birth"] == learning_lessons.TABLE
    assert by_check["research_answers_are_taken"] == llm_learning.TABLE
