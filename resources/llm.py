"""A language model behind any endpoint that speaks OpenAI's chat completions: asked seldom, believed in nothing.

What belongs here: whom to ask, how often, and the envelope of the answer. What does not: what is asked
(`research_prompt`) and what an answer may be (`research_note`).

The key goes into one header and nowhere else. What a service says in an error is not repeated either: services put the
key they were given into it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, PositiveInt, SecretStr, StringConstraints, ValidationError

from domain.config.research import ResearchConfig
from domain.learning.research_note import Note, RefusalReason, ResearchAnswerError, read_answer
from domain.learning.research_prompt import ResearchQuestion
from domain.portfolio.strict_json import canonical_json
from resources.http_client import CallLimits, HttpClient
from resources.rate_limit import PatienceError, RateLimit, Stopwatch
from resources.source_error import RequestRefusedError, SourceError

URL_VARIABLE = "LOWCAP_LLM_URL"
VARIABLES: Mapping[str, str] = {
    "url": URL_VARIABLE,
    "model": "LOWCAP_LLM_MODEL",
    "key": "LOWCAP_LLM_KEY",
    "timeout_s": "LOWCAP_LLM_TIMEOUT_S",
    "requests_a_day": "LOWCAP_LLM_REQUESTS_A_DAY",
    "tokens_a_day": "LOWCAP_LLM_TOKENS_A_DAY",
    "limit_field": "LOWCAP_LLM_LIMIT_FIELD",
}
"""Environment variable of each setting."""

PATH = "/chat/completions"
REQUESTS_PER_MINUTE = 20
ATTEMPTS = 3
MAX_BYTES = 262_144
"""Largest body read; an answer is a tenth of that."""
BYTES_PER_TOKEN = 3
"""Fewer than any tokenizer makes of this text, so that a budget holds whatever the service counts."""
SHORTEST_SECRET = 8
"""Shorter keys are the words local servers ask for, which any text may hold."""
DAY_S = 86_400.0
_LOCAL = {"localhost", "127.0.0.1", "::1"}


class LlmSettings(BaseModel, frozen=True, extra="forbid"):
    """Whom to ask, and how much a day."""

    url: Annotated[str, Field(min_length=1)]
    model: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
    key: SecretStr | None = None
    timeout_s: float = Field(default=60.0, gt=0, le=600)
    requests_a_day: PositiveInt = 20
    tokens_a_day: PositiveInt = 100_000
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


def read_llm_settings(environment: Mapping[str, str]) -> LlmSettings | None:
    """Read whom to ask; None where nobody is named.

    Raises
    ------
    ValueError
        If a setting is missing or cannot be; the message names its variable and repeats no value.

    >>> read_llm_settings({}) is None
    True
    >>> read_llm_settings({"LOWCAP_LLM_URL": "http://localhost:8000/v1"})
    Traceback (most recent call last):
    ValueError: LOWCAP_LLM_MODEL: Field required
    """
    given = {name: text for name, variable in VARIABLES.items() if (text := environment.get(variable, "").strip())}
    if "url" not in given:
        return None
    try:
        return LlmSettings.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        told = "; ".join(f"{VARIABLES[str(each['loc'][0])]}: {each['msg']}" for each in problems)
    raise ValueError(told)


@dataclass(frozen=True, slots=True)
class Spent:
    """Requests that were made, and the tokens they may have cost."""

    requests: int = 0
    tokens: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.requests + other.requests, self.tokens + other.tokens)


@dataclass
class DayRate(RateLimit):
    """A rate that also ends with the day's budget: every try counts, a repeated one too."""

    left: Spent = field(default_factory=Spent)
    tokens_each: int = 0
    made: Spent = field(default_factory=Spent)

    def take(self, weight: int, *, patience_s: float) -> float:
        """Wait as `RateLimit` does, and count the request against the day.

        Raises
        ------
        PatienceError
            If the day has no request or not as many tokens left.
        """
        if not self.affords(self.tokens_each):
            raise PatienceError("the budget of the day is spent", DAY_S)
        waited = super().take(weight, patience_s=patience_s)
        self.left += Spent(-1, -self.tokens_each)
        self.made += Spent(1, self.tokens_each)
        return waited

    def affords(self, tokens: int) -> bool:
        """Whether one more request of so many tokens fits into the day."""
        return self.left.requests >= 1 and self.left.tokens >= tokens


@dataclass(frozen=True, slots=True)
class LlmAnswer:
    """What became of a question: its notes, or why there are none; and what it cost."""

    notes: tuple[Note, ...]
    refusal: RefusalReason | None
    told: str
    spent: Spent


@dataclass(frozen=True)
class LlmBackend:
    """A language model that may be asked."""

    model_id: str
    client: HttpClient
    rate: DayRate
    limit_field: str
    secret: SecretStr

    def affords(self, question: ResearchQuestion) -> bool:
        """Whether the budget of the day has room for a question."""
        return self.rate.affords(tokens_of(question))

    def ask(self, question: ResearchQuestion, config: ResearchConfig) -> LlmAnswer:
        """Ask; an answer that does not fit is none.

        Never raises for what a service does: the system is whole without it.
        """
        before = self.rate.made
        self.rate.tokens_each = tokens_of(question)
        try:
            notes, refusal, told = self._notes(question, config), None, ""
        except ResearchAnswerError as error:
            notes, refusal, told = (), error.reason, error.told
        spent = Spent(self.rate.made.requests - before.requests, self.rate.made.tokens - before.tokens)
        return LlmAnswer(notes, refusal, told, spent)

    def _notes(self, question: ResearchQuestion, config: ResearchConfig) -> tuple[Note, ...]:
        body = self._body(question)
        text = _content(body)
        if any(self._is_secret(each) for each in _texts(body)):
            raise ResearchAnswerError(RefusalReason.SECRET, "the answer holds the key")
        notes = read_answer(question.level, text, config)
        if self._is_secret(canonical_json([each.model_dump(mode="json") for each in notes])):
            raise ResearchAnswerError(RefusalReason.SECRET, "the answer holds the key")
        return notes

    def _body(self, question: ResearchQuestion) -> Any:
        try:
            return self.client.post(PATH, self._request(question)).body
        except RequestRefusedError as error:
            is_long = error.status == HTTPStatus.OK
            reason = RefusalReason.TOO_LONG if is_long else RefusalReason.ENDPOINT_REFUSED
            told = f"more than {MAX_BYTES} bytes" if is_long else f"status {error.status}"
        except SourceError as error:
            reason, told = RefusalReason.UNAVAILABLE, f"status {error.status}" if error.status else "no answer"
        raise ResearchAnswerError(reason, told)

    def _request(self, question: ResearchQuestion) -> dict[str, Any]:
        messages = [{"role": "system", "content": question.system}, {"role": "user", "content": question.user}]
        request = {
            "model": self.model_id,
            "messages": messages,
            "response_format": {"type": "json_object"},
            self.limit_field: question.max_tokens,
        }
        # Models that take the newer field refuse a temperature.
        return request | ({"temperature": question.temperature} if self.limit_field == "max_tokens" else {})

    def _is_secret(self, text: str) -> bool:
        secret = self.secret.get_secret_value()
        return len(secret) >= SHORTEST_SECRET and secret.casefold() in text.casefold()


def open_llm(settings: LlmSettings, *, spent: Spent, stopwatch: Stopwatch | None = None) -> LlmBackend:
    """Make the client of a model; nobody is asked yet.

    Parameters
    ----------
    settings : LlmSettings
        Whom to ask.
    spent : Spent
        Of the last 24 hours.
    stopwatch : Stopwatch, optional
        Time to wait in.

    Raises
    ------
    ValueError
        If the URL holds a user, a password or a query, the key is no header value, or it would go over the network in
        the clear; the message repeats neither.
    """
    secret = settings.key or SecretStr("")
    is_keyed = bool(secret.get_secret_value())
    address = urlsplit(settings.url)
    if is_keyed and address.scheme != "https" and address.hostname not in _LOCAL:
        raise ValueError(f"{URL_VARIABLE} must be https where a key is sent to another machine")
    rate = DayRate(
        REQUESTS_PER_MINUTE,
        stopwatch or Stopwatch(),
        left=Spent(settings.requests_a_day - spent.requests, settings.tokens_a_day - spent.tokens),
    )
    limits = CallLimits(
        attempts=ATTEMPTS,
        attempt_timeout_s=settings.timeout_s,
        budget_s=2 * settings.timeout_s + 30.0,  # whoever learns next waits for this
        max_bytes=MAX_BYTES,
    )
    header = {"Authorization": SecretStr(f"Bearer {secret.get_secret_value()}")} if is_keyed else {}
    return LlmBackend(
        settings.model, HttpClient(settings.url, rate, header, limits), rate, settings.limit_field, secret
    )


def tokens_of(question: ResearchQuestion) -> int:
    """Tokens a question and its longest answer may cost, by our own count, generously."""
    sent = len(question.system.encode()) + len(question.user.encode())
    return -(-sent // BYTES_PER_TOKEN) + question.max_tokens


def _content(body: Any) -> str:
    """Text of the only choice of an answer."""
    choices = body.get("choices") if isinstance(body, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get("message")
    if not isinstance(message, dict):
        raise ResearchAnswerError(RefusalReason.NO_TEXT, "no message in the answer")
    if message.get("tool_calls") or message.get("function_call"):
        raise ResearchAnswerError(RefusalReason.TOOL_CALL, "the answer calls a tool; there is none")
    if choice.get("finish_reason") == "length":
        raise ResearchAnswerError(RefusalReason.CUT, "the answer did not end")
    content = message.get("content")
    if not isinstance(content, str) or not content.strip():
        raise ResearchAnswerError(RefusalReason.NO_TEXT, "no text in the answer")
    return content


def _texts(body: Any) -> Iterator[str]:
    """Every text of a document, keys too."""
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
