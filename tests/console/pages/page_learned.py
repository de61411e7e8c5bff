"""What learning said on the day of the pages' world: thresholds, notes and a walk-forward, some of it hostile."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.learning.research_note import RefusalReason, Report
from domain.learning.tuning_rate import tuning_rates
from domain.portfolio.strict_json import canonical_json
from learning_assets.learning_table import Day
from learning_assets.llm_row import Source, note_rows, refusal_row
from learning_assets.walk_forward import report_row, trade_row
from tests.console.learned_rows import DAY, MADE, MIDNIGHT, of_day, store
from tests.domain.learning.forward_worlds import BUCKET, forward, live_set, report, says, season
from tests.domain.learning.tuned_episodes import CONFIG, bought, run_of, several, start_of
from tests.llm_answers import REPORT
from tests.portfolio_rows import sha256

SECOND = timedelta(seconds=1)
UNCONFIGURED = {name: value for name, value in MADE.items() if name != "config_version"}


def make_tuned(hostile: str) -> None:
    """Rates, verdicts and states of a day; one cell is of a curator with a hostile name."""
    episodes = [*several(30, 3, 0.58), *bought()]
    run = run_of(episodes)
    rates = tuning_rates(episodes, as_of_at=start_of(1), config=CONFIG)
    rows = {
        "tuning_rate": [rate.row() | {"n_pending": 3, "n_expired": 1} for rate in rates],
        "tuning_verdict": [verdict.row() for verdict in run.verdicts],
        "tuning_state": [state.row() for state in run.states],
    }
    for row in rows["tuning_verdict"]:
        row["evidence"] = canonical_json(row["evidence"])
    named = {"scope_values": json.dumps({"curator": hostile}), "scope_values_hash": "ef" * 8}
    for table in ("tuning_rate", "tuning_verdict"):
        rows[table].append(rows[table][-1] | named)
    for table, told in rows.items():
        store(table, *(of_day() | row | MADE for row in told))


def make_noted(hostile: str) -> None:
    """Write a report with hostile words, and refuse an answer."""
    day = Day(MIDNIGHT, MIDNIGHT + DAY)
    source = Source("a-model", "prompt", "input")
    told = Report.model_validate(REPORT).model_copy(update={"title": hostile, "findings": [hostile, "One holds."]})
    rows = note_rows(day, 1, [told], source, made_at=day.as_of)
    rows.append(refusal_row(day, 3, source, RefusalReason.NO_JSON, hostile, []))
    store("llm_learning", *(row | UNCONFIGURED for row in rows))


def make_walked(trade_id: str) -> None:
    """Walk forward over a season whose trades all bear the id of the world's own; one rule helps and one does not."""
    rules = (says(2.0, sha256("nano")), says(0.5, sha256("hourly"), {BUCKET: "nano"}))
    made = forward(*season(2.0, 0.0), sets=[live_set(day, *rules) for day in range(0, 49, 7)])
    known = [each for each in made if each.closed_at < MIDNIGHT + DAY]
    own = [replace(each, trade_id=trade_id, closed_at=each.closed_at + n * SECOND) for n, each in enumerate(known)]
    told: dict[str, Any] = report_row(Day(MIDNIGHT, MIDNIGHT + DAY), report(known))
    store("walk_forward", told | MADE)
    store("walk_forward_trade", *(_stored(trade_row(trade)) for trade in own))


def _stored(row: dict[str, Any]) -> dict[str, Any]:
    return UNCONFIGURED | {name: None if value != value else value for name, value in row.items()}
