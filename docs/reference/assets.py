"""The page of Dagster's assets, made from the two code locations as Dagster loads them.

What belongs here: what the definitions say of an asset, a schedule, a sensor. What columns mean stands in the tables.
"""

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetNode

from learning_assets.definitions import build_definitions as build_learning
from regime_assets.definitions import build_definitions as build_regime
from resources.deployment import Deployment

CADENCE = {
    "2 * * * *": "hourly, at :02",
    "10 0 * * *": "daily, at 00:10",
    "*/5 * * * *": "every five minutes",
    "40 */6 * * *": "every six hours, at :40",
    "50 */2 * * *": "every two hours, at :50",
    "25 0 * * *": "daily, at 00:25",
}
"""Cron expressions in words; one that is missing here is an error."""


def assets_page() -> list[str]:
    """Blocks of the page: how to read it, the two locations, what starts by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        locations = {"regime_assets": build_regime(Deployment.DEV), "learning_assets": build_learning(Deployment.DEV)}
    return [
        "An asset is a table: its key is `schema/table`, as on its page in the UI. A partition is a UTC day, up"
        " to today. A blocking check runs in the transaction that writes, and undoes it when it fails; the others only"
        " show. What no job makes, a sensor reports or the runtime writes. What the columns hold: [Tables](tables.md).",
        *(block for name, definitions in locations.items() for block in _location(name, definitions)),
        "## What starts by itself",
        "Times are UTC. Each can be switched under **Automation** in the UI.",
        _table(
            ("name", "kind", "of", "when", "by default"),
            [row for definitions in locations.values() for row in _automation(definitions)],
        ),
    ]


def _location(name: str, definitions: dg.Definitions) -> Iterator[str]:
    graph = definitions.resolve_asset_graph()
    made = {
        job.name: definitions.resolve_job_def(job.name).asset_layer.executable_asset_keys
        for job in definitions.jobs or ()
    }
    told = sorted((key for key in graph.get_all_asset_keys() if graph.get(key).description), key=lambda key: key.path)
    facts = {key: _facts(graph.get(key), [job for job, keys in made.items() if key in keys]) for key in told}
    usual = {fact: Counter(each[fact] for each in facts.values()).most_common(1)[0][0] for fact in facts[told[0]]}
    yield f"## {name}"
    yield f"Where nothing else is said: {'; '.join(f'{fact}: {value}' for fact, value in usual.items())}."
    for key in told:
        node = graph.get(key)
        checks = sorted(check.name for check in graph.asset_check_keys if check.asset_key == key)
        blocking = [each for each in checks if graph.get_check_spec(dg.AssetCheckKey(key, each)).blocking]
        lines = {
            "reads": _codes(parent.to_user_string() for parent in sorted(node.parent_keys)),
            **{fact: value for fact, value in facts[key].items() if value != usual[fact]},
            "blocking": _codes(blocking),
            "shown": _codes(each for each in checks if each not in blocking),
        }
        yield f"### {key.to_user_string()}"
        yield _first_sentence(node.description or "")
        if shown := [f"- {fact}: {value}" for fact, value in lines.items() if value]:
            yield "\n".join(shown)


def _facts(node: AssetNode, jobs: Sequence[str]) -> dict[str, str]:
    return {
        "partitions": "UTC days" if node.partitions_def else "none",
        "made by": _codes(jobs) or "no job",
        "overdue": _freshness(node.freshness_policy),
    }


def _freshness(policy: object) -> str:
    if policy is None:
        return "never, it is written when there is something to say"
    warns, fails = (getattr(policy, name).to_timedelta() for name in ("warn_window", "fail_window"))
    return f"warns after {warns.total_seconds() / 3600:g} hours, fails after {fails.total_seconds() / 3600:g}"


def _automation(definitions: dg.Definitions) -> Iterator[tuple[str, ...]]:
    for schedule in definitions.schedules or ():
        state = "on" if schedule.default_status is dg.DefaultScheduleStatus.RUNNING else "off"
        yield f"`{schedule.name}`", "schedule", f"`{schedule.job_name}`", CADENCE[str(schedule.cron_schedule)], state
    for sensor in definitions.sensors or ():
        state = "on" if sensor.default_status is dg.DefaultSensorStatus.RUNNING else "off"
        said = _first_sentence(sensor.description or "")
        yield f"`{sensor.name}`", "sensor", said, f"every {sensor.minimum_interval_seconds} s", state


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    return re.split(r"(?<=[.!?]) (?=[A-Z])", paragraph)[0]


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
