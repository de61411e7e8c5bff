"""Templates say the same of the same day, only what the numbers carry, and only what fits the shape of notes."""

import pytest

from domain.learning.research_note import Hypothesis, Report, read_answer
from domain.learning.research_template import template_notes
from domain.portfolio.strict_json import canonical_json
from tests.domain.learning.research_days import CONFIG, cell, digest_of


def test_the_report_names_the_lessons_that_hold():
    (report,) = template_notes(1, digest_of(lessons=(cell(0.42),)), CONFIG)

    assert isinstance(report, Report)
    assert report.findings[0] == "120 closed trades are known; their mean is +0.123 R."
    assert report.findings[-1] == (
        "pm.uptrend.S1.buy_flag entry timeframe=1h: edge +0.42, effect +0.42 R (+0.12 to +0.72), 40 trades."
    )


def test_without_a_lesson_the_report_says_that_nothing_is_moved():
    (report,) = template_notes(1, digest_of(cell()), CONFIG)

    assert isinstance(report, Report)
    assert "No lesson holds: no size is moved by what was learned." in report.findings


def test_hypotheses_are_the_smallest_p_that_was_not_believed_with_the_sign_it_had():
    notes = template_notes(5, digest_of(cell(0.1, 0.5), cell(-0.6, 0.03, timeframe="4h")), CONFIG)
    claims = [(each.test.scope, each.test.expected_sign) for each in notes if isinstance(each, Hypothesis)]

    assert claims == [({"timeframe": "4h"}, "worse"), ({"timeframe": "1h"}, "better")]


@pytest.mark.parametrize(
    "closed",
    [
        {"verdict": "explained_by"},
        {"verdict": "too_few_trades"},
        {"verdict": "promoted"},
        {"effect": None},
        {"effect": 0.0},
        {"p": None},
        dict.fromkeys(("btc_macro", "btc_meso", "btc_micro", "alt_macro", "alt_meso"), "S1"),
    ],
    ids=str,
)
def test_what_cannot_be_tested_or_is_settled_is_no_hypothesis(closed):
    assert template_notes(5, digest_of(cell(**closed)), CONFIG) == ()


def test_a_claim_is_made_once():
    (first,) = template_notes(5, digest_of(cell()), CONFIG)

    assert isinstance(first, Hypothesis)
    assert template_notes(5, digest_of(cell()), CONFIG, known=[first.test]) == ()


def test_the_order_of_cells_changes_no_word():
    cells = [cell(0.1 * (n + 1), 0.1, timeframe=each) for n, each in enumerate(("1m", "15m", "1h", "4h"))]

    assert template_notes(5, digest_of(*cells), CONFIG) == template_notes(5, digest_of(*cells[::-1]), CONFIG)


@pytest.mark.parametrize("level", [1, 5])
def test_templates_fit_the_shape_an_answer_must_have_whatever_names_there_are(level):
    named = [
        cell(0.3, 0.01 * n, curator=f"http://evil\u00a0{n}".replace("\u00a0", "x"), btc_macro="S1")
        for n in range(1, 30)
    ]
    notes = template_notes(level, digest_of(*named, lessons=tuple(named)), CONFIG)
    text = canonical_json({"items": [each.model_dump(mode="json") for each in notes]})

    assert len(notes) == (1 if level == 1 else CONFIG.max_items)
    assert read_answer(level, text, CONFIG) == notes


@pytest.mark.parametrize("level", [2, 3, 4])
def test_other_levels_have_no_template(level):
    assert template_notes(level, digest_of(cell(), lessons=(cell(), cell(timeframe="4h"))), CONFIG) == ()
