"""The table of regime contexts: made by Dagster from stored phases, kept as text, checked before it is published."""

import json
from datetime import timedelta

import dagster as dg
import pytest

from domain.regime.regime_context import RegimeContext, regime_context_schema
from domain.vocabulary.window import Window
from regime_assets.chain_asset import chain_asset
from regime_assets.regime_context import SPEC
from resources.deployment import Deployment, resources_of
from resources.inline_check import BlockedByCheckError
from resources.stamp import Stamp
from resources.tables import Tables
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.queries import query
from tests.chain_runs import stored
from tests.json_schema import problems
from tests.regime_hours import DAY, HOUR, LADDER, composite_rows, judged_buckets, ladder_rows, store

pytestmark = pytest.mark.postgres
MADE = 10
SILENT = 4


@pytest.fixture
def phases(database):
    hours = [DAY + hour * HOUR for hour in range(MADE) if hour != SILENT]
    composite = [row for at in hours for row in composite_rows(at)]
    buckets = [
        row for at in hours for row in ladder_rows(at, LADDER | {"nano": (at - DAY) / timedelta(days=1), "xl": 3.0})
    ]
    store(composite, buckets, judged_buckets(large="too_few_members"))


def run(as_of=DAY + MADE * HOUR + timedelta(minutes=3), **values) -> dg.ExecuteInProcessResult:
    resources = resources_of(Deployment.TEST, as_of=as_of.isoformat())
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [chain_asset(SPEC)],
            resources=resources,
            partition_key=f"{DAY:%Y-%m-%d}",
            instance=instance,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            **values,
        )


def known_at(as_of) -> str | None:
    """What a reader gets from the function of the database."""
    with connect(DatabaseRole.CONSOLE, read_only=True) as connection:
        row = connection.execute(query("regime_context_as_of").encode(), {"as_of": as_of}).fetchone()
    return row and row[0]


def test_every_closed_hour_is_stored_and_each_document_is_of_its_schema(phases):
    run()
    rows = stored("regime.regime_context")

    assert rows["timestamp"].to_list() == [DAY + hour * HOUR for hour in range(MADE)]
    schema = regime_context_schema()
    assert [list(problems(json.loads(text), schema)) for text in rows["context"]] == [[]] * MADE
    for row in rows.iter_rows(named=True):
        context = RegimeContext.model_validate_json(row["context"])
        assert (context.to_json(), context.regime_label) == (row["context"], row["regime_label"])


def test_a_second_run_gives_the_same_bytes(phases):
    run()
    before = stored("regime.regime_context")

    run(as_of=DAY + (MADE + 1) * HOUR)

    assert stored("regime.regime_context").head(MADE).equals(before)


def test_the_materialization_shows_label_ladder_churn_and_what_is_unknown(phases):
    metadata = run().asset_materializations_for_node("regime__regime_context")[0].metadata

    assert metadata["regime_label"].value == "macro=Recover|meso=Dip|micro=Good|bucket_leader=micro"
    assert metadata["label_changes_per_day"].value == pytest.approx(2 / MADE * 24)
    assert metadata["share_of_hours_with_unknown_parts"].value == pytest.approx(1 / MADE)
    ladder = metadata["ladder"].value.splitlines()
    assert ladder[2] == "| 1 | micro | Good | 0.90 | 0.20 | 0.80 | 20 | 1.050 |"
    assert ladder[6] == "| too_few_members | large | Good | -1.00 | 0.20 | 0.80 | 20 | 1.000 |"
    assert ladder[7] == "| telemetry_only | xl | Good | 3.00 | 0.20 | 0.80 | 20 | 1.000 |"


def test_before_the_first_hour_has_closed_nothing_is_written_and_it_says_so(phases):
    done = run(as_of=DAY + timedelta(minutes=59)).asset_materializations_for_node("regime__regime_context")[0]

    assert done.metadata["regime_label"].value == "none"
    assert stored("regime.regime_context").is_empty()


def test_the_function_gives_the_stored_bytes_as_they_were_known(phases):
    run()
    texts = stored("regime.regime_context")["context"]

    assert known_at(DAY + timedelta(minutes=59)) is None
    assert known_at(DAY + HOUR) == texts[0]
    assert known_at(DAY + 2 * HOUR - timedelta(seconds=1)) == texts[0]
    assert known_at(DAY + 2 * HOUR) == texts[1]
    assert known_at(DAY + (MADE + 2) * HOUR - timedelta(seconds=1)) == texts[MADE - 1]
    assert known_at(DAY + (MADE + 2) * HOUR) is None


CHANGES = {
    "label": ("regime_label_is_of_its_phases", "UPDATE regime.phase_state SET phase = 'Chop' WHERE horizon = 'micro'"),
    "score": (
        "bucket_rank_is_of_its_meso_scores",
        "UPDATE regime.phase_state_bucket SET score = 9 WHERE bucket = 'big'",
    ),
    "eligibility": (
        "bucket_rank_is_of_its_meso_scores",
        "UPDATE regime.bucket_eligibility SET is_eligible = false, reason = 'too_few_members' WHERE bucket = 'micro'",
    ),
    "row": ("bucket_rank_is_of_its_meso_scores", "DELETE FROM regime.phase_state_bucket WHERE bucket = 'mid'"),
}


@pytest.mark.parametrize(("check", "change"), CHANGES.values(), ids=CHANGES)
def test_documents_that_do_not_say_what_the_phases_say_are_not_published(phases, check, change):
    run()
    rows = stored("regime.regime_context").drop("code_version")
    window = Window(DAY, DAY + 24 * HOUR)
    with connect(DatabaseRole.REGIME) as connection:
        connection.execute(change.encode())

    with pytest.raises(BlockedByCheckError) as blocked:
        Tables().replace(SPEC.table, window, rows, stamp=Stamp("r", "1"), checks=SPEC.checks)

    assert set(blocked.value.failed) == {check}
