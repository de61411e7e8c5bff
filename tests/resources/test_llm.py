"""A language model is asked within its budget; what it sends is notes that fit, or a reason why there are none."""

import json

import pytest

from domain.config.research import ResearchConfig
from domain.learning.research_note import RefusalReason, Report
from domain.learning.research_prompt import ResearchQuestion, research_question
from resources.llm import LlmAnswer, LlmBackend, LlmSettings, Spent, open_llm, read_llm_settings, tokens_of
from tests.llm_answers import KEY, REFUSED, REPORT, UNANSWERED, items
from tests.loopback_api import LoopbackApi, MovedTime, Reply, in_turn, serving

CONFIG = ResearchConfig()
NOTHING = Spent()
NAMED = {"LOWCAP_LLM_URL": "http://127.0.0.1:9/v1", "LOWCAP_LLM_MODEL": "small-1", "LOWCAP_LLM_KEY": KEY}


def question(level: int = 1) -> ResearchQuestion:
    return research_question(level, '{"day":"2026-01-01"}', CONFIG)


def backend_of(api: LoopbackApi, *, time: MovedTime | None = None, spent: Spent = NOTHING, **settings) -> LlmBackend:
    settings = {"url": api.url, "model": "small-1", "key": KEY, "timeout_s": 0.5} | settings
    return open_llm(LlmSettings(**settings), spent=spent, stopwatch=(time or MovedTime()).stopwatch)


def answer_to(*replies: Reply, level: int = 1, **settings) -> tuple[LlmAnswer, LoopbackApi]:
    with serving(in_turn(*replies)) as api:
        return backend_of(api, **settings).ask(question(level), CONFIG), api


def test_a_good_answer_is_its_notes():
    answer, _ = answer_to(items(REPORT))

    assert answer == LlmAnswer((Report(**REPORT),), None, "", Spent(1, tokens_of(question())))


def test_a_question_says_the_model_the_limit_and_the_shape_and_offers_no_tool():
    _, api = answer_to(items(REPORT))
    sent = api.asked[0]

    assert (sent.method, sent.path) == ("POST", "/chat/completions")
    assert sent.headers["Authorization"] == f"Bearer {KEY}"
    assert sent.body.keys() == {"model", "messages", "response_format", "max_tokens", "temperature"}
    assert [each["role"] for each in sent.body["messages"]] == ["system", "user"]
    assert sent.body["messages"][1]["content"] == '{"day":"2026-01-01"}'
    assert (sent.body["max_tokens"], sent.body["temperature"]) == (1600, 0.4)


def test_models_that_take_the_newer_field_get_no_temperature():
    _, api = answer_to(items(REPORT), limit_field="max_completion_tokens")

    assert api.asked[0].body["max_completion_tokens"] == 1600
    assert not {"max_tokens", "temperature"} & api.asked[0].body.keys()


def test_without_a_key_none_is_sent():
    _, api = answer_to(items(REPORT), key=None)

    assert "Authorization" not in api.asked[0].headers


@pytest.mark.parametrize("bad", REFUSED)
def test_an_answer_that_does_not_fit_is_refused_whole_after_one_request(bad):
    reply, reason = REFUSED[bad]
    answer, api = answer_to(reply)

    assert (answer.notes, answer.refusal) == ((), RefusalReason(reason))
    assert len(api.asked) == 1


@pytest.mark.parametrize("bad", {**REFUSED, **UNANSWERED})
def test_what_is_told_of_a_refusal_repeats_nothing_of_the_answer(bad):
    answer, _ = answer_to({**REFUSED, **UNANSWERED}[bad][0])

    assert len(answer.told) < 120
    for piece in (KEY, "sk-", "garbage", "size_multiplier", "evil", "DOCTYPE"):
        assert piece.casefold() not in answer.told.casefold()


@pytest.mark.parametrize("bad", UNANSWERED)
def test_an_endpoint_that_does_not_answer_is_told_and_raises_nothing(bad):
    reply, reason = UNANSWERED[bad]
    answer, api = answer_to(reply)

    assert (answer.notes, answer.refusal) == ((), RefusalReason(reason))
    assert len(api.asked) == (3 if reason == "unavailable" else 1)


def test_every_try_counts_against_the_day():
    answer, _ = answer_to(Reply({}, 503), Reply({}, 503), items(REPORT))

    assert answer.refusal is None
    assert answer.spent == Spent(3, 3 * tokens_of(question()))


def test_retry_after_is_waited_for():
    time = MovedTime()
    answer, _ = answer_to(Reply({}, 429, {"Retry-After": "7"}), items(REPORT), time=time)

    assert (answer.refusal, time.slept) == (None, [7.5])


def test_tries_end_with_the_requests_of_the_day():
    answer, api = answer_to(Reply({}, 503), requests_a_day=2)

    assert (answer.refusal, answer.spent.requests, len(api.asked)) == (RefusalReason.UNAVAILABLE, 2, 2)


def test_what_the_last_day_spent_is_not_spent_again():
    with serving(in_turn(items(REPORT))) as api:
        tight = backend_of(api, requests_a_day=5, spent=Spent(requests=5))
        short = backend_of(api, tokens_a_day=1000 + tokens_of(question()), spent=Spent(tokens=1001))
        enough = backend_of(api, tokens_a_day=1000 + tokens_of(question()), spent=Spent(tokens=1000))
        told = [each.affords(question()) for each in (tight, short, enough)]
        tight.ask(question(), CONFIG)

    assert told == [False, False, True]
    assert api.asked == []


def test_tokens_are_counted_by_us_and_not_by_the_service():
    answer, _ = answer_to(items(REPORT))

    assert answer.spent.tokens == tokens_of(question()) > 1600


def test_the_key_is_in_no_text_of_what_holds_it():
    with serving(in_turn(items(REPORT))) as api:
        backend = backend_of(api)
    settings = read_llm_settings(NAMED)

    assert settings is not None
    for text in (
        repr(backend),
        str(backend),
        repr(settings),
        str(settings),
        json.dumps(settings.model_dump(mode="json")),
    ):
        assert KEY not in text
    assert settings.key is not None
    assert settings.key.get_secret_value() == KEY


def test_a_short_key_of_a_local_server_may_occur_in_a_text():
    answer, _ = answer_to(items(REPORT | {"title": "An empty day"}), key="EMPTY")

    assert answer.refusal is None


@pytest.mark.parametrize("environment", [{}, {"LOWCAP_LLM_URL": " "}, {"LOWCAP_LLM_MODEL": "m", "LOWCAP_LLM_KEY": KEY}])
def test_without_an_address_nobody_is_asked(environment):
    assert read_llm_settings(environment) is None


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("LOWCAP_LLM_MODEL", ""),
        ("LOWCAP_LLM_MODEL", f"two words {KEY}"),
        ("LOWCAP_LLM_TIMEOUT_S", f"soon {KEY}"),
        ("LOWCAP_LLM_TIMEOUT_S", "0"),
        ("LOWCAP_LLM_TIMEOUT_S", "nan"),
        ("LOWCAP_LLM_REQUESTS_A_DAY", "0"),
        ("LOWCAP_LLM_TOKENS_A_DAY", "-1"),
        ("LOWCAP_LLM_LIMIT_FIELD", "most"),
    ],
)
def test_a_setting_that_cannot_be_names_its_variable_and_no_value(variable, text):
    with pytest.raises(ValueError, match=f"^{variable}: ") as caught:
        read_llm_settings(NAMED | {variable: text})

    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "url", [f"https://me:{KEY}@host/v1", f"https://host/v1?key={KEY}", "host/v1", "http://llm.example/v1"]
)
def test_an_address_that_would_give_the_key_away_is_refused(url):
    with pytest.raises(ValueError, match="must be http") as caught:
        open_llm(LlmSettings(url=url, model="m", key=KEY), spent=Spent())

    assert KEY not in str(caught.value)


def test_a_server_in_the_house_may_be_asked_in_the_clear_without_a_key():
    assert open_llm(LlmSettings(url="http://llm.example/v1", model="m"), spent=Spent()).model_id == "m"
