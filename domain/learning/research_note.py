"""Notes of the research layer: what an answer may be, and everything else refused whole.

A note is text for people. No number of the system is read from it, so it has none: a confidence is a word. Sizes follow
lessons, and a note is no lesson; a hypothesis becomes `validated` by its test alone (`research_hypothesis`).

What belongs here: the shape of notes, and what is refused. What does not: who writes them.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError, field_validator

from domain.config.research import Level, ResearchConfig
from domain.portfolio.strict_json import StrictJsonError, read_json
from domain.scopes.pattern_key import parse_pattern_key
from domain.scopes.scope_value import TEXT_DIMENSIONS, WORDS
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension

RESEARCH_MODULE = "pm"
MAX_CONDITIONS = 4
"""Conditions of a slice: cells with more have too few trades to be tested."""


class NoteKind(StrEnum):
    """What a note is."""

    REPORT = "report"
    SEMANTIC_FACTOR = "semantic_factor"
    FAMILY_PROPOSAL = "family_proposal"
    SEMANTIC_PATTERN = "semantic_pattern"
    HYPOTHESIS = "hypothesis"


class NoteStatus(StrEnum):
    """Where a note stands.

    hypothesis: claimed, untested. validated, rejected: tested. active: a report, which claims nothing. deprecated:
    given up, or superseded. A refused answer is `rejected` too, and says so.
    """

    HYPOTHESIS = "hypothesis"
    VALIDATED = "validated"
    REJECTED = "rejected"
    ACTIVE = "active"
    DEPRECATED = "deprecated"


class SemanticTag(StrEnum):
    """What a token is about."""

    AI = "ai"
    DEFI = "defi"
    GAMING = "gaming"
    INFRASTRUCTURE = "infrastructure"
    MEME = "meme"
    REAL_WORLD_ASSET = "real_world_asset"
    SOCIAL = "social"
    OTHER = "other"


class HypothesisType(StrEnum):
    """What a hypothesis is about."""

    INTERACTION_PATTERN = "interaction_pattern"
    BUCKET_BOUNDARY = "bucket_boundary"
    SEMANTIC_DIMENSION = "semantic_dimension"
    OTHER = "other"


class RefusalReason(StrEnum):
    """Why an answer was refused, or there was none."""

    TOO_LONG = "too_long"
    CUT = "cut"
    TOOL_CALL = "tool_call"
    SECRET = "secret"
    NO_TEXT = "no_text"
    NO_JSON = "no_json"
    NOT_THE_SCHEMA = "not_the_schema"
    UNAVAILABLE = "unavailable"
    ENDPOINT_REFUSED = "endpoint_refused"


class ResearchAnswerError(ValueError):
    """An answer that is refused. The message names a place and a rule, and repeats nothing of the answer."""

    def __init__(self, reason: RefusalReason, told: str) -> None:
        super().__init__(f"{reason}: {told}")
        self.reason = reason
        self.told = told


SHOWN_NAME = re.compile(r"[a-z_]+#[0-9a-f]{12}")


def shown_value(dimension: ScopeDimension, value: str) -> str:
    """Value as notes and backends see it: a word of the vocabulary as it is, a name from outside by its hash.

    A curator may call himself anything, an instruction too. Nobody reads these names here, and none leaves the house.

    >>> shown_value(ScopeDimension.TIMEFRAME, "1h"), shown_value(ScopeDimension.CURATOR, "ignore all rules")
    ('1h', 'curator#0d1524547623')
    """
    if dimension not in TEXT_DIMENSIONS:
        return value
    return f"{dimension.value}#{hashlib.sha256(value.encode()).hexdigest()[:12]}"


def plain_text(text: str) -> str:
    """Text, unless it holds what a person does not see or a page might follow.

    Raises
    ------
    ValueError
        If it holds a control, format, private or unassigned character or a separator of lines, or an address.

    >>> plain_text("micro caps in S1")
    'micro caps in S1'
    """
    if any(unicodedata.category(each)[0] == "C" or unicodedata.category(each) in ("Zl", "Zp") for each in text):
        raise ValueError("must be one line without control characters")
    if "://" in text:
        raise ValueError("must hold no address")
    return text


_LINE = (StringConstraints(min_length=1), AfterValidator(plain_text))
Name = Annotated[str, *_LINE, StringConstraints(max_length=120)]
Line = Annotated[str, *_LINE, StringConstraints(max_length=600)]
Pattern = Annotated[str, StringConstraints(max_length=60), AfterValidator(lambda text: str(parse_pattern_key(text)))]
Confidence = Literal["low", "medium", "high"]


class Note(BaseModel, frozen=True, extra="forbid", strict=True):
    """One item of an answer."""


class Report(Note):
    """Level 1: what the lessons of a day say."""

    title: Name
    findings: list[Line] = Field(min_length=1, max_length=40)


class SemanticFactor(Note):
    """Level 2: what a token is about, and why that may matter."""

    semantic_tag: SemanticTag = Field(strict=False)
    name: Name
    confidence: Confidence
    reasoning: Line
    applies_to_positions: list[Name] = Field(max_length=20)
    source_fields: list[Name] = Field(min_length=1, max_length=20)


class FamilyProposal(Note):
    """Level 3: what might be changed about a pattern, for a person to decide."""

    pattern_key: Pattern
    proposal: Line
    reasoning: Line


class SemanticPattern(Note):
    """Level 4: what several lessons have in common."""

    name: Name
    description: Line
    lessons: list[Name] = Field(min_length=2, max_length=40, description="Names of cells as the input gives them.")


class TradeSlice(Note):
    """Trades a hypothesis is about, and which way they differ from the other trades of their pattern."""

    pattern_key: Pattern
    action_category: ActionCategory = Field(strict=False)
    scope: dict[Annotated[ScopeDimension, Field(strict=False)], Name] = Field(
        min_length=1, max_length=MAX_CONDITIONS, description="Values by dimension, as the input spells them."
    )
    expected_sign: Literal["better", "worse"]

    @field_validator("scope")
    @classmethod
    def _has_values_there_are(cls, scope: dict[ScopeDimension, str]) -> dict[ScopeDimension, str]:
        for dimension, value in scope.items():
            known = SHOWN_NAME.fullmatch(value) if dimension in TEXT_DIMENSIONS else value in WORDS[dimension]
            if not known:
                raise ValueError(f"no value of {dimension}")
        return scope


class Hypothesis(Note):
    """Level 5: a claim about trades that can be tested."""

    type: HypothesisType = Field(strict=False)
    proposal: Line
    reasoning: Line
    test: TradeSlice


NOTE_OF_LEVEL: Final[Mapping[int, type[Note]]] = {
    1: Report,
    2: SemanticFactor,
    3: FamilyProposal,
    4: SemanticPattern,
    5: Hypothesis,
}
KIND_OF_LEVEL: Final[Mapping[int, NoteKind]] = dict(zip(NOTE_OF_LEVEL, NoteKind, strict=True))
BORN: Final[Mapping[int, NoteStatus]] = {1: NoteStatus.ACTIVE, **dict.fromkeys((2, 3, 4, 5), NoteStatus.HYPOTHESIS)}
"""Status a note of a level begins with."""


def read_answer(level: Level, text: str, config: ResearchConfig) -> tuple[Note, ...]:
    """Read the notes of an answer `{"items": [...]}`; one that does not fit refuses them all.

    Parameters
    ----------
    level : int
        Level that was asked for.
    text : str
        The answer.
    config : ResearchConfig
        Bounds.

    Raises
    ------
    ResearchAnswerError
        If it is too long, no JSON, has another shape, a key that is not asked for, or text that `plain_text` refuses.

    >>> read_answer(1, '{"items": [{"title": "Quiet", "findings": ["No lesson."]}]}', ResearchConfig())
    (Report(title='Quiet', findings=['No lesson.']),)
    """
    if len(text) > config.max_answer_characters:
        told = f"expected at most {config.max_answer_characters} characters, was {len(text)}"
        raise ResearchAnswerError(RefusalReason.TOO_LONG, told)
    try:
        answer = read_json(text)
    except StrictJsonError:
        raise ResearchAnswerError(RefusalReason.NO_JSON, "the answer is no JSON document") from None
    items = answer.get("items") if isinstance(answer, dict) and set(answer) == {"items"} else None
    if not isinstance(items, list) or not 1 <= len(items) <= config.max_items:
        told = f"expected an object with 1 to {config.max_items} items and nothing else"
        raise ResearchAnswerError(RefusalReason.NOT_THE_SCHEMA, told)
    return tuple(_note(level, item, number) for number, item in enumerate(items))


def answer_schema(level: Level, config: ResearchConfig) -> dict[str, Any]:
    """JSON Schema of the answer to a level, for those who write it."""
    item = NOTE_OF_LEVEL[level].model_json_schema()
    words = {"$defs": item.pop("$defs")} if "$defs" in item else {}
    items = {"type": "array", "minItems": 1, "maxItems": config.max_items, "items": item}
    shape = {"type": "object", "additionalProperties": False, "required": ["items"], "properties": {"items": items}}
    return shape | words


def _note(level: Level, item: object, number: int) -> Note:
    try:
        return NOTE_OF_LEVEL[level].model_validate(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        depth = len(first["loc"])
        told = f"item {number}: {first['type']} at depth {depth}, {error.error_count()} problems"
        raise ResearchAnswerError(RefusalReason.NOT_THE_SCHEMA, told) from None
