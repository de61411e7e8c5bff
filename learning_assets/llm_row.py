"""Rows of the research layer: notes as they are made, carried and superseded, and questions that got no answer."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from domain.config.research import Level
from domain.learning.research_hypothesis import Judgement, OpenHypothesis
from domain.learning.research_note import (
    BORN,
    KIND_OF_LEVEL,
    NOTE_OF_LEVEL,
    RESEARCH_MODULE,
    Hypothesis,
    Note,
    NoteStatus,
    RefusalReason,
    TradeSlice,
)
from domain.learning.research_prompt import ResearchQuestion
from domain.learning.research_template import TEMPLATE_MODEL
from domain.portfolio.strict_json import canonical_json, read_json
from learning_assets.learning_table import Day
from resources.llm import Spent

Row = dict[str, Any]
PASSING = frozenset({RefusalReason.UNAVAILABLE, RefusalReason.ENDPOINT_REFUSED})
"""No answer came: it may be asked for again. What an answer was refused for, it would be refused for again."""

CLAIMED_ALREADY: Mapping[str, Any] = {"given_up": "claimed already"}
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Source:
    """Whose words they are, to which question."""

    model_id: str
    prompt_hash: str
    input_hash: str


@dataclass(frozen=True, slots=True)
class StoredNote:
    """A row of the table: a note, or a question without an answer."""

    row: Row
    content: Mapping[str, Any]

    @property
    def source(self) -> Source:
        """Whose words they are."""
        return Source(self.row["model_id"], self.row["prompt_hash"], self.row["input_hash"])

    @property
    def is_carried(self) -> bool:
        """Whether it was made on an earlier day."""
        return "first_id" in self.content

    @property
    def refusal(self) -> RefusalReason | None:
        """Why there is no answer; None of a note."""
        told = self.content.get("refusal")
        return RefusalReason(told["reason"]) if told else None

    @property
    def asked(self) -> list[dict[str, Any]]:
        """When it was asked, with how many requests and tokens; nothing of a template or a carried note."""
        return list(self.content.get("asked", ()))

    @property
    def made_at(self) -> datetime:
        """When the words were written; of a template, the instant its day is as of."""
        return datetime.fromisoformat(self.content["made_at"])

    def note(self) -> Note | None:
        """Read the note; None where there is none, or one of an earlier shape."""
        try:
            return NOTE_OF_LEVEL[self.row["level"]].model_validate(self.content.get("note"))
        except ValidationError:
            return None

    def claim(self) -> TradeSlice | None:
        """Slice of a hypothesis."""
        note = self.note()
        return note.test if isinstance(note, Hypothesis) else None


def stored_note(row: Mapping[str, Any], columns: Collection[str]) -> StoredNote:
    """Row as it was read, with the columns a row is made of."""
    return StoredNote({name: row[name] for name in columns}, read_json(row["content"]))


def note_rows(
    day: Day,
    level: Level,
    notes: Sequence[Note],
    source: Source,
    *,
    made_at: datetime,
    asked: Sequence[Mapping[str, Any]] = (),
    known: Iterable[TradeSlice] = (),
) -> list[Row]:
    """Rows of the notes of one answer; a claim that was made already is given up at once."""
    claimed = list(known)
    rows = []
    for number, note in enumerate(notes):
        content = {"note": note.model_dump(mode="json"), "number": number, "made_at": made_at.isoformat()}
        row = _row(day, level, source, content | ({"asked": list(asked)} if asked else {}))
        if isinstance(note, Hypothesis):
            if note.test in claimed:
                row |= {"status": NoteStatus.DEPRECATED.value, "test_results": canonical_json(CLAIMED_ALREADY)}
            claimed.append(note.test)
        rows.append(row)
    return rows


def refusal_row(
    day: Day, level: Level, source: Source, reason: RefusalReason, told: str, asked: Sequence[Mapping[str, Any]]
) -> Row:
    """Row of a question without an answer: why, in our words, and nothing of what came."""
    content = {"refusal": {"reason": reason.value, "told": told}, "asked": list(asked)}
    return _row(day, level, source, content) | {"status": NoteStatus.REJECTED.value}


def carried_row(day: Day, stored: StoredNote, judgement: Judgement) -> Row:
    """Row of a hypothesis of an earlier day, as this day leaves it."""
    first = stored.content.get("first_id", stored.row["id"])
    content = {"note": stored.content["note"], "made_at": stored.content["made_at"], "first_id": first}
    results = None if judgement.results is None else canonical_json(judgement.results)
    row = _row(day, stored.row["level"], stored.source, content)
    return row | {"status": judgement.status.value, "test_results": results}


def superseded_rows(stored: Iterable[StoredNote], new: Iterable[Row]) -> list[Row]:
    """Rows of answers of a model that the day no longer stands on: they were paid for, and stay to be read."""
    asked = {(row["level"], row["model_id"], row["prompt_hash"], row["input_hash"]) for row in new}
    return [
        each.row | {"status": NoteStatus.DEPRECATED.value}
        for each in stored
        if (each.row["level"], each.row["model_id"], each.row["prompt_hash"], each.row["input_hash"]) not in asked
        and not each.is_carried
        and each.row["model_id"] != TEMPLATE_MODEL
    ]


def asked_again(before: Sequence[Mapping[str, Any]], at: datetime, spent: Spent) -> list[Mapping[str, Any]]:
    """Look at a question once more: what the last day's looks cost is kept with it, for the budget."""
    recent = [each for each in before if datetime.fromisoformat(each["at"]) > at - _A_DAY]
    return [*recent, {"at": at.isoformat(), "requests": spent.requests, "tokens": spent.tokens}]


def stored_answer(stored: Iterable[StoredNote], question: ResearchQuestion, model_id: str | None) -> list[StoredNote]:
    """Rows of a day that answer a question, in their order: of a model, or of the first there is when None is named."""
    found = [
        each
        for each in stored
        if (each.source.prompt_hash, each.source.input_hash) == (question.prompt_hash, question.input_hash)
        and not each.is_carried
    ]
    first = min((each.source.model_id for each in found), default=None) if model_id is None else model_id
    ours = [each for each in found if each.source.model_id == first]
    return sorted(ours, key=lambda each: int(each.content.get("number", 0)))


def answer_rows(day: Day, level: Level, stored: Sequence[StoredNote], *, known: Iterable[TradeSlice]) -> list[Row]:
    """Rows of an answer that came before, as they would be made now."""
    if not stored:
        return []
    first = stored[0]
    if first.refusal is not None:
        return [refusal_row(day, level, first.source, first.refusal, first.content["refusal"]["told"], first.asked)]
    notes = [note for each in stored if (note := each.note())]
    return note_rows(day, level, notes, first.source, made_at=first.made_at, asked=first.asked, known=known)


def open_hypotheses(earlier: Iterable[StoredNote]) -> list[tuple[StoredNote, OpenHypothesis]]:
    """Hypotheses that the last of some days left open, by id."""
    earlier = [each for each in earlier if each.row["level"] == 5]
    last = max((each.row["timestamp"] for each in earlier), default=None)
    found = []
    for each in sorted(earlier, key=lambda each: str(each.row["id"])):
        claim = each.claim() if each.row["status"] == NoteStatus.HYPOTHESIS else None
        if each.row["timestamp"] == last and claim is not None:
            found.append((each, OpenHypothesis(claim, each.made_at)))
    return found


def _row(day: Day, level: Level, source: Source, content: Mapping[str, Any]) -> Row:
    text = canonical_json(content)
    said = {name: value for name, value in content.items() if name not in ("asked", "made_at")}
    identity = [day.midnight.isoformat(), level, source.model_id, source.prompt_hash, source.input_hash, said]
    return {
        "id": hashlib.sha256(canonical_json(identity).encode()).hexdigest(),
        **day.columns,
        "kind": KIND_OF_LEVEL[level].value,
        "level": level,
        "module": RESEARCH_MODULE,
        "status": BORN[level].value,
        "content": text,
        "test_results": None,
        "prompt_hash": source.prompt_hash,
        "input_hash": source.input_hash,
        "model_id": source.model_id,
    }
