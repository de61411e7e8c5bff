"""The whole of Dagster as `lowcap up` starts it, driven by its UI in a real browser on a database of its own.

The market is simulated and its clock stands still; the UI offers partitions up to the real today.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.stack import Stack
from domain.vocabulary.window import Window
from learning_assets.definitions import STEPS
from learning_assets.upstream import UPSTREAM
from regime_assets.definitions import CHAIN_TABLES
from resources.tables import Tables
from tests.chain_runs import TABLES
from tests.dagster_browser import FLAGS, DagsterApi, Watch, find_chromium, free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = find_chromium()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium"),
]

AS_OF = "2026-03-10T00:00:00+00:00"
DAY = date(2026, 3, 8)
FIRST_OF_THIRTY, LAST_OF_THIRTY = date(2026, 2, 6), date(2026, 3, 7)
ENVIRONMENT = {"LOWCAP_DEPLOYMENT": "test", "LOWCAP_AS_OF": AS_OF, "LOWCAP_CANDLES": ""}
GROUP_PAGE = "/locations/regime_assets/asset-groups/regime/lineage"
NAMES = {table.partition(".")[2] for table in TABLES}
LEARNED = {each.table.partition(".")[2] for step in STEPS for each in step.tables}
ON_THE_CAPS_OF_THE_DAY_BEFORE = {"token_cap_bucket", "token_ta", "token_uptrend_state"} | {
    name for name in NAMES if "return_series" in name or name.startswith("phase_state")
}
"""Tables that a day made alone leaves empty: its tags stand on the day before, and phases on a week."""
RUNS = """{ runsOrError { ... on Runs { results { runId status assetSelection { path } tags { key value } } } } }"""
BACKFILLS = """{ partitionBackfillsOrError { ... on PartitionBackfills { results { id status numPartitions } } } }"""
COLLISIONS = (
    """query($keys: [AssetKeyInput!]!) { assetNodeDefinitionCollisions(assetKeys: $keys) { assetKey { path } } }"""
)
PARTITIONS = """{ assetNodes { assetKey { path } partitionStats { numMaterialized numFailed } } }"""
TICKS = """{
    sensorsOrError(repositorySelector: { repositoryLocationName: "regime_assets", repositoryName: "__repository__" })
    { ... on Sensors { results { name sensorState { ticks { status error { message } } } } } }
}"""


@pytest.fixture(scope="module")
def dagster(module_database, tmp_path_factory) -> Iterator[DagsterApi]:
    """Webserver, daemon and both code locations; all of them end with the tests."""
    stack = Stack(tmp_path_factory.mktemp("lowcap"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        try:
            yield DagsterApi(stack.start_dagster(free_port()))
        finally:
            stack.dagster.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def watch() -> Watch:
    """What goes wrong in any page of these tests."""
    return Watch()


@contextmanager
def opened(browser: "Browser", dagster: DagsterApi, watch: Watch, folder: Path) -> Iterator["Page"]:
    """A new page; what it shows at the end is kept in a folder, for whoever asks why a test failed."""
    page = browser.new_page(base_url=dagster.url, viewport={"width": 1600, "height": 1000})
    watch.over(page)
    try:
        yield page
    finally:
        page.screenshot(path=folder / "page.png")
        page.close()


@pytest.fixture
def page(browser: "Browser", dagster: DagsterApi, watch: Watch, tmp_path: Path) -> Iterator["Page"]:
    with opened(browser, dagster, watch, tmp_path) as page:
        yield page


@pytest.fixture(scope="module")
def runs_of_a_day(browser: "Browser", dagster: DagsterApi, watch: Watch, tmp_path_factory) -> list[dict]:
    """Runs that came of launching the whole chain for one day at the UI, once one of them has ended."""
    with opened(browser, dagster, watch, tmp_path_factory.mktemp("launch")) as page:
        launch(page, f"{DAY}")
        page.get_by_text("Launched run").wait_for()

    def has_ended(data: dict) -> list[dict]:
        runs = runs_of(data, "dagster/partition", f"{DAY}")
        return runs if any(run["status"] in ("SUCCESS", "FAILURE") for run in runs) else []

    return dagster.wait_for(RUNS, has_ended, timeout_s=90)


def nodes(page: "Page") -> list[str]:
    """Names of the assets that a lineage graph draws."""
    drawn = page.locator("foreignObject")
    drawn.first.wait_for()
    return sorted(text.partition("Latest event")[0] for text in drawn.all_text_contents())


def stands_for(node: str, name: str) -> bool:
    """Whether a node bears a name, which the graph may shorten in the middle."""
    head, _, tail = node.partition("…")
    return name == node or (bool(tail) and name.startswith(head) and name.endswith(tail))


def launch(page: "Page", partitions: str) -> None:
    """Materialize the whole chain for some partitions, by the dialog of its group."""
    page.goto(GROUP_PAGE)
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Show all partitions").click()
    dialog.get_by_placeholder("ex: 2020").fill(partitions)
    dialog.get_by_placeholder("ex: 2020").press("Enter")
    dialog.get_by_role("button", name="Launch").click()
    dialog.wait_for(state="detached")


def runs_of(data: dict, tag: str, value: str | None = None) -> list[dict]:
    """Runs that bear a tag, with this value where one is given."""
    runs = data["runsOrError"]["results"]
    return [run for run in runs if any(t["key"] == tag and value in (None, t["value"]) for t in run["tags"])]


def materialized(dagster: DagsterApi) -> dict[str, int]:
    """How many partitions of each table are materialized."""
    assets = dagster.ask(PARTITIONS)["assetNodes"]
    paths = {asset["assetKey"]["path"][1]: asset for asset in assets if asset["assetKey"]["path"][0] == "regime"}
    stats = {name: asset["partitionStats"] for name, asset in paths.items()}
    assert all(found["numFailed"] == 0 for found in stats.values() if found)
    return {name: found["numMaterialized"] for name, found in stats.items() if found}


def ancestors(table: str) -> set[str]:
    """Names of a table and of everything it is made from."""
    found = {table}
    for spec in reversed(CHAIN_TABLES):  # each stands after what it reads
        found |= set(spec.reads) if spec.table in found else set()
    return {name.partition(".")[2] for name in found}


def day_window(first: date, days: int = 1) -> Window:
    start = datetime.fromisoformat(f"{first}T00:00:00+00:00")
    return Window(start, start + timedelta(days=days))


def test_both_code_locations_are_loaded(page):
    page.goto("/locations")
    page.get_by_text("2 code locations").wait_for()
    page.get_by_text("Loaded", exact=True).nth(1).wait_for()

    shown = page.locator("body").inner_text()
    assert "regime_assets.definitions" in shown
    assert "learning_assets.definitions" in shown
    assert "Failed" not in shown


def test_ae_score_descends_from_the_candles(page):
    page.goto("/assets/regime/ae_score?view=lineage&lineageScope=upstream&lineageDepth=5")
    page.locator("foreignObject").nth(5).wait_for()

    drawn, wanted = nodes(page), sorted(ancestors("regime.ae_score"))
    assert len(drawn) == len(wanted)
    assert all(any(stands_for(node, name) for node in drawn) for name in wanted), drawn


def test_both_locations_are_one_lineage_in_which_each_asset_stands_once(page, dagster):
    keys = [{"path": list(spec.key.path)} for spec in UPSTREAM if spec.key.path[0] == "regime"]
    assert dagster.ask(COLLISIONS, keys=keys) == {"assetNodeDefinitionCollisions": []}
    told = [tuple(asset["assetKey"]["path"]) for asset in dagster.ask(PARTITIONS)["assetNodes"]]
    assert len(told) == len(set(told))
    assert {path[1] for path in told} >= NAMES | LEARNED
    for group in ("regime", "learning"):
        page.goto(f"/locations/{group}_assets/asset-groups/{group}/lineage")
        page.locator("foreignObject").nth(6).wait_for()
        drawn = nodes(page)
        assert all(any(stands_for(node, path[1]) for path in told) for node in drawn), drawn


def test_a_day_of_the_whole_chain_is_one_run(runs_of_a_day):
    assert [run["status"] for run in runs_of_a_day] == ["SUCCESS"]
    for table in TABLES:
        is_empty = table.partition(".")[2] in ON_THE_CAPS_OF_THE_DAY_BEFORE
        assert Tables().read(table, day_window(DAY)).is_empty() is is_empty, table


@pytest.mark.usefixtures("runs_of_a_day")
def test_the_states_of_a_day_are_shown_as_a_picture(page):
    page.goto(f"/assets/regime/regime_driver_state?view=partitions&partition={DAY}")
    page.get_by_text("[Show Markdown]").click()
    picture = page.get_by_role("dialog").locator("img")
    picture.wait_for()

    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 500
    assert f"{DAY}" in picture.get_attribute("alt")


@pytest.mark.usefixtures("runs_of_a_day")
@pytest.mark.parametrize(("asset", "count"), [("regime_driver_state", 3), ("majors_price_data_ohlc", 3)])
def test_the_checks_of_an_asset_are_green(page, asset, count):
    page.goto(f"/assets/regime/{asset}?view=checks")
    page.get_by_text(f"Checks ({count})").wait_for()
    page.get_by_text("Succeeded", exact=True).nth(count - 1).wait_for()

    assert page.get_by_text("Failed", exact=True).count() == 0


@pytest.mark.usefixtures("runs_of_a_day")  # of a day that is none of the thirty
def test_thirty_days_of_the_chain_are_one_run(page, dagster):
    before = materialized(dagster)

    launch(page, f"[{FIRST_OF_THIRTY}...{LAST_OF_THIRTY}]")
    (backfill,) = dagster.wait_for(
        BACKFILLS,
        lambda data: [
            told
            for told in data["partitionBackfillsOrError"]["results"]
            if told["status"] not in ("REQUESTED", "COMPLETING")
        ],
        timeout_s=180,
    )

    assert (backfill["status"], backfill["numPartitions"]) == ("COMPLETED_SUCCESS", 30)
    (run,) = runs_of(dagster.ask(RUNS), "dagster/backfill", backfill["id"])
    assert {key["path"][1] for key in run["assetSelection"]} == NAMES
    assert materialized(dagster) == {name: count + 30 for name, count in before.items()}
    scores = Tables().read("regime.ae_score", day_window(FIRST_OF_THIRTY, 30), columns=["timeframe", "timestamp"])
    assert scores["timestamp"].dt.date().n_unique() == 30


@pytest.mark.parametrize("number", [0, 1], ids=["bucket_ladder", "phase_lanes"])
def test_ladder_and_phases_are_shown_as_pictures(page, number):
    page.goto(f"/assets/regime/phase_state_bucket?view=partitions&partition={LAST_OF_THIRTY}")
    page.get_by_text("[Show Markdown]").nth(number).click()
    picture = page.get_by_role("dialog").locator("img")
    picture.wait_for()

    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300


def test_the_automation_sensor_ticks_without_an_error(dagster):
    def ticks(data: dict) -> list[dict]:
        (sensor,) = [found for found in data["sensorsOrError"]["results"] if found["name"] == "regime_automation"]
        return [tick for tick in sensor["sensorState"]["ticks"] if tick["status"] != "STARTED"]

    told = dagster.wait_for(TICKS, ticks, timeout_s=60)

    assert [tick["error"] for tick in told if tick["error"]] == []
    assert {tick["status"] for tick in told} <= {"SKIPPED", "SUCCESS"}


def test_no_page_fails_a_request_or_logs_an_error(page, watch):
    for path in ("/overview", "/runs", "/assets", "/jobs", "/automation", "/deployment/concurrency"):
        page.goto(path)
        page.wait_for_timeout(1000)
    for view in ("overview", "partitions", "events", "checks", "lineage", "automation"):
        page.goto(f"/assets/regime/ae_score?view={view}")
        page.wait_for_timeout(1000)

    assert watch.requests > 100
    assert watch.problems == [], f"beside {len(watch.left)} requests of pages that were left"
