"""Notes on what was learned, for people: a report of the day, and hypotheses that trades to come will test.

Without a language model they are made of templates. Where one is named it is asked once about a day that is over; what
it says is checked, stored here as text, and read by no number. A level it does not answer is made of its template.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import dagster as dg

from domain.config.research import Level, ResearchConfig
from domain.learning.research_digest import ResearchDigest, research_input
from domain.learning.research_hypothesis import judge_hypotheses
from domain.learning.research_note import NoteStatus, TradeSlice
from domain.learning.research_prompt import ResearchQuestion, research_question, text_hash
from domain.learning.research_template import TEMPLATE_MODEL, TEMPLATE_VERSION, template_notes
from domain.learning.trade_fact import TradeFact
from domain.learning.trade_group import trade_groups
from domain.portfolio.strict_json import read_json
from learning_assets import learning_lessons, pattern_trade_events
from learning_assets.learning_table import Day, LearningStep, LearningTable, Study
from learning_assets.llm_digest import has_news, read_digest
from learning_assets.llm_row import (
    PASSING,
    Row,
    Source,
    StoredNote,
    answer_rows,
    asked_again,
    carried_row,
    note_rows,
    open_hypotheses,
    refusal_row,
    stored_answer,
    stored_note,
    superseded_rows,
)
from learning_assets.table_frame import table_frame
from resources.clock import Clock
from resources.inline_check import InlineCheck
from resources.llm import LlmBackend, Spent, open_llm, read_llm_settings
from resources.table_asset import asset_key
from resources.tables import Tables

TABLE = "learning.llm_learning"
ASK_WITHIN = timedelta(hours=48)
"""A day that ended longer ago is not asked about: a backfill of a year would ask a thousand questions nobody has."""

_A_DAY = timedelta(days=1)
SHOWN_DAYS = 30
_COLUMNS = (
    *("id", "timestamp", "as_of", "kind", "level", "module", "status", "content", "test_results"),
    *("prompt_hash", "input_hash", "model_id"),
)


@dataclass
class Told:
    """What happened, in counts and words of our own: no word of a model reaches a page of Dagster."""

    counts: Counter[str] = field(default_factory=Counter)
    absent: dict[str, str] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)
    is_left_alone: bool = False


@dataclass(frozen=True)
class Desk:
    """What the days of a run share."""

    study: Study
    backend: LlmBackend | None
    history: list[StoredNote]
    told: Told

    @property
    def config(self) -> ResearchConfig:
        """Rules of the research layer."""
        return self.study.config.learning.research

    @cached_property
    def facts(self) -> list[TradeFact]:
        """Facts of every trade closed before the end of the range; read where a hypothesis waits for them."""
        return pattern_trade_events.read_facts(self.study)

    def stored(self, day: Day) -> list[StoredNote]:
        """Rows of a day as the last run left them."""
        return [each for each in self.history if each.row["timestamp"] == day.midnight]

    def earlier(self, day: Day) -> list[StoredNote]:
        """Rows of the days before, as far back as a hypothesis may be old: the same in a run of one day and of many."""
        oldest = day.midnight - timedelta(days=self.config.max_age_days)
        return [each for each in self.history if oldest <= each.row["timestamp"] < day.midnight]


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    lookback = timedelta(days=study.config.learning.research.max_age_days)
    stored = study.tables.read(TABLE, study.window, lookback, columns=_COLUMNS)
    desk = Desk(study, _backend(study), [stored_note(row, _COLUMNS) for row in stored.iter_rows(named=True)], Told())
    rows: list[Row] = []
    for day in study.days:
        made = note_day(desk, day)
        desk.history[:] = [each for each in desk.history if each.row["timestamp"] != day.midnight]
        desk.history.extend(stored_note(row, _COLUMNS) for row in made)
        rows += made
    yield study.replace(TABLE, table_frame(TABLE, rows), metadata=_metadata(desk, rows))


def note_day(desk: Desk, day: Day) -> list[Row]:
    """Rows of a day: open hypotheses judged, then what is new of each level, then what the day no longer stands on."""
    carried = _carried(desk, day)
    known = [claim for each in desk.earlier(day) if (claim := each.claim())]
    digest = read_digest(desk.study, day)
    new: list[Row] = []
    if digest is None:
        desk.told.counts["days_without_lessons_made"] += 1
    else:
        for level in sorted({*desk.config.levels, *desk.config.template_levels}):
            new += _level_rows(desk, day, level, digest, known)
    return [*carried, *new, *superseded_rows(desk.stored(day), new)]


def _carried(desk: Desk, day: Day) -> list[Row]:
    waiting = open_hypotheses(desk.earlier(day))
    if not waiting:
        return []
    groups = trade_groups(desk.facts, as_of_at=day.as_of, max_abs_rr=desk.study.max_abs_rr)
    judged = judge_hypotheses([each for _, each in waiting], groups, as_of_at=day.as_of, config=desk.config)
    return [carried_row(day, stored, verdict) for (stored, _), verdict in zip(waiting, judged, strict=True)]


def _level_rows(desk: Desk, day: Day, level: Level, digest: ResearchDigest, known: Sequence[TradeSlice]) -> list[Row]:
    absent = digest.absent(level)
    if absent:
        desk.told.absent[f"level_{level}"] = absent
        return []
    shown = research_input(digest, desk.config)
    desk.told.counts["cells_not_shown"] += shown.n_left_out
    question = research_question(level, shown.text, desk.config)
    asked = _asked_rows(desk, day, question, known) if level in desk.config.levels else []
    if any("refusal" not in read_json(row["content"]) for row in asked) or level not in desk.config.template_levels:
        return asked
    source = Source(TEMPLATE_MODEL, text_hash(f"{TEMPLATE_VERSION} {level}"), question.input_hash)
    notes = template_notes(level, digest, desk.config, known=known)
    return [*asked, *note_rows(day, level, notes, source, made_at=day.as_of)]


def _asked_rows(desk: Desk, day: Day, question: ResearchQuestion, known: Sequence[TradeSlice]) -> list[Row]:
    """Rows of a question to the model: of its stored answer, else of the answer it gives now, if it may be asked."""
    stored = stored_answer(desk.stored(day), question, desk.backend.model_id if desk.backend else None)
    may_ask = desk.backend is not None and (not stored or stored[0].refusal in PASSING)
    if desk.backend is None or not may_ask or not _is_worth_asking(desk, day, question, desk.backend):
        return answer_rows(day, question.level, stored, known=known)
    now = desk.study.now
    answer = desk.backend.ask(question, desk.config)
    desk.told.spent += answer.spent
    desk.told.is_left_alone |= answer.refusal in PASSING
    source = Source(desk.backend.model_id, question.prompt_hash, question.input_hash)
    looks = asked_again(stored[0].asked if stored else (), now, answer.spent)
    if answer.refusal is not None:
        return [refusal_row(day, question.level, source, answer.refusal, answer.told, looks)]
    return note_rows(day, question.level, answer.notes, source, made_at=now, asked=looks, known=known)


def _is_worth_asking(desk: Desk, day: Day, question: ResearchQuestion, backend: LlmBackend) -> bool:
    end = day.midnight + _A_DAY
    reason = None
    if day.as_of < end:
        reason = "not_asked_day_not_over"
    elif desk.study.now - end > ASK_WITHIN:
        reason = "not_asked_day_long_over"
    elif not has_news(desk.study, day):
        reason = "not_asked_no_new_trade"
    elif desk.told.is_left_alone:
        reason = "not_asked_endpoint_does_not_answer"
    elif not backend.affords(question):
        reason = "not_asked_budget_spent"
    if reason:
        desk.told.counts[reason] += 1
    return reason is None


def _backend(study: Study) -> LlmBackend | None:
    """Model that may be asked; none where none is named, and none about a replay."""
    settings = read_llm_settings(os.environ) if study.is_live else None
    if settings is None:
        return None
    row = study.tables.query("research_spent_since", (study.now - _A_DAY,)).row(0, named=True)
    return open_llm(settings, spent=Spent(**row))


def _metadata(desk: Desk, rows: Sequence[Row]) -> dict[str, Any]:
    newest = max((row["timestamp"] for row in rows), default=None)
    last = [row for row in rows if row["timestamp"] == newest]
    refused = Counter(
        told["reason"] for row in rows if (told := read_json(row["content"]).get("refusal", {"reason": None}))["reason"]
    )
    return {
        "backend": desk.backend.model_id if desk.backend else TEMPLATE_MODEL,
        "notes_of_the_last_day": len(last),
        "open_hypotheses": sum(row["level"] == 5 and row["status"] == NoteStatus.HYPOTHESIS for row in last),
        "validated_hypotheses": sum(row["status"] == NoteStatus.VALIDATED for row in rows),
        "answers_refused": dict(refused),
        "requests": desk.told.spent.requests,
        "tokens_at_most": desk.told.spent.tokens,
        "absent": desk.told.absent,
        **desk.told.counts,
    }


@dg.asset_check(
    asset=asset_key(TABLE),
    name="research_answers_are_taken",
    description="Answers of a language model that were refused or did not come, in the last 30 days, by reason.",
)
def research_answers_are_taken(tables: Tables, clock: Clock) -> dg.AssetCheckResult:
    by_reason = dict(tables.query("research_refusals_since", (clock.now() - timedelta(days=SHOWN_DAYS),)).iter_rows())
    answered = by_reason.pop("answered", 0)
    return dg.AssetCheckResult(
        passed=not by_reason,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"answered": answered, "refused": sum(by_reason.values()), "by_reason": by_reason},
    )


STEP = LearningStep(
    tables=(
        LearningTable(
            TABLE,
            __doc__ or "",
            (
                InlineCheck(
                    "only_tested_hypotheses_are_validated",
                    "check_only_tested_hypotheses_are_validated",
                    "What nobody tested on trades is not believed.",
                ),
            ),
        ),
    ),
    publish=publish,
    code_version="1",
    reads=(pattern_trade_events.TABLE, learning_lessons.RUN, learning_lessons.HYPOTHESIS, learning_lessons.TABLE),
)
