"""The two code locations, loaded as Dagster loads them."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from learning_assets.definitions import defs as learning
from regime_assets import alarm
from regime_assets.definitions import CHAIN_TABLES, build_definitions
from regime_assets.regime_event import REGIME_EVENT
from resources.deployment import Deployment, parse_deployment, resources_of

SNAPSHOT = Path(__file__).with_name("definitions_snapshot.json")
AS_OF = "2025-06-30T00:00:00+00:00"


def regime() -> dg.Definitions:
    return build_definitions(Deployment.DEV)


def described(definitions: dg.Definitions) -> dict:
    graph = definitions.resolve_asset_graph()
    return {
        key.to_user_string(): {
            "deps": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
            "partitions": repr(graph.get(key).partitions_def),
            "checks": sorted(check.name for check in graph.asset_check_keys if check.asset_key == key),
            "code_version": graph.get(key).code_version,
            "pools": sorted(graph.get(key).pools or []) if graph.get(key).is_materializable else [],
            "group": graph.get(key).group_name,
            "owners": sorted(graph.get(key).owners),
            "kinds": sorted(graph.get(key).kinds),
            "backfill": repr(graph.get(key).backfill_policy),
            "condition": graph.get(key).automation_condition.get_label()
            if graph.get(key).automation_condition
            else None,
        }
        for key in sorted(graph.get_all_asset_keys())
    }


def test_the_graph_is_the_one_that_was_agreed():
    now = {"regime_assets": described(regime()), "learning_assets": described(learning())}

    assert now == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", ["regime_assets.definitions", "learning_assets.definitions"])
def test_each_location_loads_alone(module):
    code = f"import dagster as dg, {module} as m; dg.Definitions.validate_loadable(m.defs())"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_what_learning_reads_exists_upstream_with_the_same_partitions():
    upstream, reader = regime().resolve_asset_graph(), learning().resolve_asset_graph()

    for key in reader.get_all_asset_keys():
        if key.path[0] == "regime":
            assert upstream.get(key).partitions_def == reader.get(key).partitions_def


def test_every_asset_tells_what_it_is():
    graph = regime().resolve_asset_graph()

    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert len(node.description or "") > 80, key
        assert {"dagster/table_name", "dagster/column_schema"} <= set(node.metadata), key
        is_told_on_change = key in (REGIME_EVENT.key, alarm.ALARM.key)  # their silence says nothing
        assert node.freshness_policy is not None or is_told_on_change, key
        assert node.owners == ["team:regime"], key


def test_every_asset_has_a_blocking_check():
    specs = {spec.table: spec.checks for spec in CHAIN_TABLES}

    assert all(checks for checks in specs.values())


def test_the_automation_sensor_runs_without_being_switched_on():
    sensors = {sensor.name: sensor for sensor in regime().sensors}

    assert sensors["regime_automation"].default_status is dg.DefaultSensorStatus.RUNNING
    assert sensors["micro_chain"].default_status is dg.DefaultSensorStatus.RUNNING


def test_each_deployment_has_its_own_resources():
    dev, prod = resources_of(Deployment.DEV), resources_of(Deployment.PROD)
    test = resources_of(Deployment.TEST, as_of=AS_OF)

    assert dev["market"].simulation_allowed
    assert not prod["market"].simulation_allowed
    assert test["clock"].now().isoformat() == AS_OF


@pytest.mark.parametrize(("deployment", "as_of"), [(Deployment.TEST, ""), (Deployment.PROD, AS_OF)])
def test_a_deployment_with_the_wrong_clock_is_refused(deployment, as_of):
    with pytest.raises(ValueError, match="LOWCAP_AS_OF"):
        resources_of(deployment, as_of=as_of)


def test_an_unknown_deployment_is_refused():
    with pytest.raises(ValueError, match="'production'"):
        parse_deployment("production")


if __name__ == "__main__":  # python -m tests.assets.test_definitions writes the snapshot anew, for a reviewed change
    agreed = {"regime_assets": described(regime()), "learning_assets": described(learning())}
    SNAPSHOT.write_text(json.dumps(agreed, indent=2) + "\n", encoding="utf-8")
