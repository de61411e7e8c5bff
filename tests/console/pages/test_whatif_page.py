"""`/whatif`: the form, the answer of the command, and what is refused."""

import json

import pytest

from tests.console.pages.read_html import ReadHtml

pytestmark = pytest.mark.postgres

WINDOW = "from=2025-05-31T00:00Z&to=2025-06-05T00:00Z"
ARGUMENTS = ("--from", "2025-05-31T00:00Z", "--to", "2025-06-05T00:00Z")


@pytest.mark.parametrize(
    ("asked", "arguments"),
    [("neutral=1", ("--neutral",)), ("without=1,2", ("--without", "1", "--without", "2")), ("set=7", ("--set", "7"))],
)
def test_the_answer_for_programs_is_what_the_command_prints(pages, lowcap, asked, arguments):
    answer = pages.get(f"/api/whatif?{asked}&{WINDOW}")

    assert answer.status_code == 200
    assert answer.json() == json.loads(lowcap("whatif", *arguments, *ARGUMENTS, "--most", "50", "--json").stdout)


def test_without_a_question_there_is_the_form_alone(pages):
    read = ReadHtml(pages.get("/whatif").text)

    assert "sized again" in read.text
    assert "Recomputed unchanged" not in read.text


def test_the_page_begins_with_the_proof_and_ends_with_what_it_does_not_say(pages):
    text = " ".join(ReadHtml(pages.get(f"/whatif?without=1&{WINDOW}").text).text.split())

    assert "Recomputed unchanged: 1 of 1 buys equal, 1 of 1 closed trades" in text
    assert "Override 1 is pm_strength of lesson" in text
    assert "1.2139 0.9000" in text
    assert "Second-order effects are not worked out" in text


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        (f"without=99&{WINDOW}", 404, "No override 99"),
        (f"set=99&{WINDOW}", 404, "No set 99"),
        (f"set=7%208&{WINDOW}", 400, "Expected numbers of overrides"),
        (f"without={2**63}&{WINDOW}", 400, "Expected numbers of overrides"),
        (f"without=%D9%A3&{WINDOW}", 400, "Expected numbers of overrides"),
        (f"without='%3B%20DROP&{WINDOW}", 400, "Expected numbers of overrides"),
        (f"set=7&neutral=1&{WINDOW}", 400, "Expected one of"),
        ("neutral=1&from=2025-05-31T00:00Z", 400, "to was not given"),
        ("neutral=1&from=2025-05-31T00:00Z&to=2025-05-30T00:00Z", 400, "ends after it begins"),
        ("neutral=1&from=2025-01-01T00:00Z&to=2025-06-30T00:00Z", 400, "at most 92 days"),
        ("neutral=1&from=0001-01-01T00:00%2B23:00&to=2025-06-30T00:00Z", 400, "Expected"),
        (f"neutral=1&replay=no&{WINDOW}", 404, "No replay"),
        (f"neutral=1&asof=1&{WINDOW}", 400, "No parameter"),
        ("neutral=1&from=2020-01-01T00:00Z&to=2020-01-02T00:00Z", 404, "Nothing was bought"),
    ],
)
def test_what_cannot_be_asked_is_refused(pages, query, status, said):
    for address in ("/whatif", "/api/whatif"):
        answer = pages.get(f"{address}?{query}")

        assert answer.status_code == status
        assert said in answer.text.replace("&#39;", "'")
