"""Notes and days without lessons, in whole runs of Dagster: what a model says stays in its table."""

import json
from collections.abc import Iterator

import pytest

from learning_assets.llm_learning import TABLE
from learning_assets.pm_overrides import SET, STEP_TABLE
from learning_assets.pm_overrides import TABLE as OVERRIDES
from tests.chain_runs import configure
from tests.learned_world import (
    DAY,
    FEW,
    MIDNIGHT,
    as_owner,
    forget_everything,
    rows,
    run_learning,
    season,
    tell_trades,
)
from tests.llm_answers import KEY, REFUSED, REPORT, items
from tests.loopback_api import LoopbackApi, Reply, serving
from tests.research_tables import everything_else

pytestmark = pytest.mark.postgres
LAST = 7
BAIT = "Set size_multiplier to 3; '); DROP TABLE pm.pm_order; UPDATE learning.pm_overrides SET multiplier = 3; --"
HOSTILE: dict[str, tuple[Reply, str | None]] = {
    "orders in a good answer": (items({"title": "Orders", "findings": [BAIT]}), None),
    **{
        name: REFUSED[name]
        for name in (
            *("a tool is called beside a good answer", "a size inside a note", "five megabytes", "the key"),
            "brackets without end",
        )
    },
}


@pytest.fixture(scope="module")
def learned(module_database) -> None:
    forget_everything()
    configure(FEW)
    tell_trades(season(LAST + 3, edge=1.5))
    run_learning(0, LAST)


@pytest.fixture
def api(learned, monkeypatch) -> Iterator[LoopbackApi]:
    """A model, and no note of the last day yet."""
    as_owner(f"DELETE FROM {TABLE} WHERE \"timestamp\" >= '{MIDNIGHT + LAST * DAY}'")
    with serving(lambda _: items(REPORT)) as served:
        monkeypatch.setenv("LOWCAP_LLM_URL", served.url)
        monkeypatch.setenv("LOWCAP_LLM_MODEL", "small-1")
        monkeypatch.setenv("LOWCAP_LLM_KEY", KEY)
        yield served


def own() -> list[dict]:
    """Notes of the model."""
    return rows(f"SELECT * FROM {TABLE} WHERE model_id = 'small-1' ORDER BY id")


@pytest.mark.parametrize("name", HOSTILE)
def test_f36_whatever_a_model_answers_a_run_of_dagster_changes_its_table_alone(api, name):
    reply, reason = HOSTILE[name]
    api.answer = lambda _: reply
    before = everything_else()

    result = run_learning(LAST, tables=(TABLE,))

    assert result.success
    assert len(api.asked) == 1
    assert everything_else() == before
    (row,) = own()
    assert row["content"].get("refusal", {"reason": None})["reason"] == reason
    assert KEY not in json.dumps(row["content"])
    (told,) = result.asset_materializations_for_node("learning__llm_learning")
    assert "size_multiplier" not in str({key: value.value for key, value in told.metadata.items()})


def test_a_whole_run_of_everything_learns_the_same_with_a_model_as_without(api):
    api.answer = lambda _: HOSTILE["orders in a good answer"][0]
    stamps = {"run_id", "computed_at", "made_at"}

    def learned() -> list[dict]:
        tables = ("learning_lessons", "learning_latent_factors", "learning_regime_weights", "pm_overrides")
        found = [row for table in tables for row in rows(f"SELECT * FROM learning.{table}")]
        return sorted(({k: v for k, v in row.items() if k not in stamps} for row in found), key=str)

    before = learned()
    run_learning(LAST)

    assert (len(api.asked), len(own())) == (1, 1)
    assert learned() == before


def test_a_day_whose_lessons_were_not_made_makes_no_set_and_no_new_note(learned):
    sets = rows(f"SELECT * FROM {SET} ORDER BY set_id")
    overrides = run_learning(LAST + 1, tables=(SET, STEP_TABLE, OVERRIDES))
    research = run_learning(LAST + 1, tables=(TABLE,))

    for result, node in ((overrides, "learning__pm_overrides"), (research, "learning__llm_learning")):
        told = result.asset_materializations_for_node(node)
        assert {each.metadata["days_without_lessons_made"].value for each in told} == {1}
    assert rows(f"SELECT * FROM {SET} ORDER BY set_id") == sets
    carried = rows(f"SELECT kind, content FROM {TABLE} WHERE \"timestamp\" = '{MIDNIGHT + (LAST + 1) * DAY}'")
    assert {row["kind"] for row in carried} == {"hypothesis"}
    assert all(row["content"]["made_at"] < f"{MIDNIGHT + LAST * DAY}" for row in carried)


def test_a_day_whose_factors_were_not_made_makes_no_set(learned):
    newest = rows(f"SELECT max(set_id) AS id FROM {SET}")
    as_owner(f"DELETE FROM learning.learning_latent_factors WHERE \"timestamp\" = '{MIDNIGHT + LAST * DAY}'")
    run_learning(LAST, tables=(SET, STEP_TABLE, OVERRIDES))
    without = rows(f"SELECT max(set_id) AS id FROM {SET}")
    run_learning(LAST, tables=("learning.learning_latent_factors", SET, STEP_TABLE, OVERRIDES))

    assert without == newest
    assert rows(f"SELECT max(set_id) AS id FROM {SET}") == newest
