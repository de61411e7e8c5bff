"""The steps of an action: each begins where the one before ended, what is absent says so, and the picture is XML."""

import itertools
import math
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from console.waterfall import ABSENT, FALL, RISE, SAME, SUM, Part, waterfall
from console.waterfall_svg import BARS, NAMES, SLIM, WIDTH, draw_waterfall, picture_title

STEPS = [
    {"name": "regime", "a": 0.6, "e": 0.4, "a_change": 0.1, "e_change": -0.1},
    {"name": "intent", "a": 0.7, "e": 0.4, "a_change": 0.1, "e_change": 0.0},
]
CHANNELS = [
    {"name": "btc_macro", "status": "ok", "signal": "S1", "a": 0.3, "e": -0.1},
    {"name": "x", "status": "missing", "signal": None, "a": None, "e": None},
    {"name": "y", "status": "ok", "signal": "S0", "a": -0.2, "e": 0.0},
]
LEVERS = {
    **{"base": 0.5, "steps": STEPS, "channels": CHANNELS, "channels_note": None, "a_value": 0.7, "e_value": 0.4},
    **{"A_mode": "normal", "E_mode": "normal", "bucket_multiplier": None, "intent_deltas": {"is_present": False}},
}
STRENGTH = {
    **{"lever": "pm_strength", "multiplier": 1.1, "basis": "blended"},
    "matched": [
        {"mask": 4, "multiplier": 1.44, "weight_share": 0.5, "factor": 1.2, "override_id": 7},
        {"mask": 0, "multiplier": 0.84, "weight_share": 0.5, "factor": 1.1 / 1.2, "override_id": 8},
    ],
}
SKEW = {
    **{"skew": 0.83, "basis": "measured", "highest": 1.33},
    "masks": [
        {"mask": 4, "weight": 0.2, "scope_exposure_usd": 50.0, "pk_scope_exposure_usd": 5.0, "skew_change": -0.5},
        {"mask": 260, "weight": 0.3, "scope_exposure_usd": 0.0, "pk_scope_exposure_usd": 0.0, "skew_change": 0.0},
    ],
}
SIZES = [("wallet", 1000.0, 1000.0), ("base_alloc", 0.1, 100.0), ("remaining", 0.5, 50.0), ("size_frac", 0.4, 20.0)]
SIZING = {
    "size_frac_by": "0.1 + 0.5 x A",
    "steps": [dict(zip(("name", "factor", "amount"), s, strict=True)) for s in SIZES],
}


def facts(**changed: Any) -> dict[str, Any]:
    order = {"side": "buy", "order_usd": 20.0, "order_quantity": None}
    told = {"levers": LEVERS, "pm_strength": STRENGTH, "exposure_skew": SKEW, "sizing": SIZING, "order": order}
    named = {"decision_type": "entry", "token_ticker": "TOK", "timeframe": "1h", "decided_at": "now", "order_id": "ab"}
    return told | named | {"action_category": "entry"} | changed


def parts(**changed: Any) -> dict[str, Part]:
    found = waterfall(facts(**changed))
    return dict(zip(("a", "e", "strength", "skew", "cap", "order"), found, strict=False))


def told(part: Part) -> list[tuple[str, str, float]]:
    return [(step.name, step.kind, round(step.end, 9)) for step in part.steps]


def test_the_levers_go_over_all_channels_and_those_that_are_absent_say_why():
    assert told(parts()["a"]) == [
        *(("base", "start", 0.5), ("btc_macro", RISE, 0.8), ("x", ABSENT, 0.8), ("y", FALL, 0.6)),
        *(("regime", SUM, 0.6), ("intent", RISE, 0.7), ("A used", SUM, 0.7)),
    ]
    assert told(parts()["e"])[3:] == [
        ("y", SAME, 0.4),
        ("regime", SUM, 0.4),
        ("intent", SAME, 0.4),
        ("E used", SUM, 0.4),
    ]
    assert [step.words for step in parts()["a"].steps[2:6]] == [
        "absent: missing",
        "S0",
        "",
        "absent: no intent is known",
    ]


@pytest.mark.parametrize(
    ("changed", "names", "absent"),
    [
        ({"channels_note": "made again"}, ["base", "regime", "intent", "A used"], "the channels, for made again"),
        ({"base": None}, ["regime", "intent", "A used"], "the base, for the configuration of then cannot be read"),
        ({"steps": []}, [], "the tick had no score, so no lever"),
    ],
)
def test_a_lever_says_what_of_it_is_not_there(changed, names, absent):
    part = parts(levers=LEVERS | changed)["a"]

    assert ([step.name for step in part.steps], part.absent) == (names, absent)


def test_strength_goes_from_one_over_every_override():
    part = parts()["strength"]

    assert told(part) == [
        ("neutral", "start", 1.0),
        ("mcap_bucket", RISE, 1.2),
        ("everywhere", FALL, 1.1),
        ("strength", SUM, 1.1),
    ]
    assert [step.change for step in part.steps] == [None, 1.44, 0.84, None]


def test_skew_goes_down_over_every_mask():
    part = parts()["skew"]

    assert [(kind, end) for _, kind, end in told(part)] == [("start", 1.33), (FALL, 0.83), (SAME, 0.83), (SUM, 0.83)]
    assert [step.value for step in part.steps] == [1.33, 50.0, 0.0, 0.83]


@pytest.mark.parametrize(
    ("changed", "absent"),
    [
        ({"pm_strength": {"multiplier": 1.0, "basis": "sells", "matched": []}}, (0, "nothing that is sold depends")),
        ({"pm_strength": {"multiplier": 1.0, "basis": "no_match", "matched": []}}, (0, "none applied")),
        ({"pm_strength": None}, (0, "the decision does not tell it")),
        ({"exposure_skew": None, "action_category": "trim"}, (1, "crowding is asked of buys only")),
        ({"exposure_skew": None}, (1, "the decision does not tell it")),
        ({"exposure_skew": {"skew": 1.0, "basis": "empty_book", "masks": []}}, (1, "nothing else was held")),
        ({"exposure_skew": {k: v for k, v in SKEW.items() if k != "highest"}}, (1, "the configuration of then")),
        ({"order": None}, (3, "what was ordered, for the order's row")),
        ({"sizing": {"size_frac_by": None, "steps": []}}, (2, "the decision does not tell its steps")),
    ],
)
def test_a_part_that_is_not_there_says_so(changed, absent):
    place, reason = absent
    part = waterfall(facts(**changed))[2 + place]

    assert part.absent is not None
    assert part.absent.startswith(reason)


def test_the_cap_ends_where_the_order_begins():
    found = parts()

    assert told(found["cap"])[-1] == told(found["order"])[0] == ("remaining", SUM, 50.0)
    assert told(found["order"])[-2:] == [("size_frac", SUM, 20.0), ("order", SUM, 20.0)]


def test_a_sale_has_no_cap():
    steps = [{"name": "holding", "factor": 8.0, "amount": 8.0}, {"name": "size_frac", "factor": 0.5, "amount": 4.0}]
    order = {"side": "sell", "order_usd": None, "order_quantity": 4.0}
    last = waterfall(facts(sizing={"size_frac_by": None, "steps": steps}, order=order))[4:]

    assert [(part.title, told(part)[-1]) for part in last] == [("order, tokens", ("order", SUM, 4.0))]


def drawn(title: str = "t", **changed: Any) -> list[dict[str, str]]:
    root = ElementTree.fromstring(draw_waterfall(waterfall(facts(**changed)), title, is_file=True).encode())
    return [dict(each.attrib) for each in root.iter("{http://www.w3.org/2000/svg}rect") if "data-step" in each.attrib]


def test_every_bar_is_as_long_as_its_step_and_inside_the_picture():
    steps = [step for part in waterfall(facts()) for step in part.steps if step.kind != ABSENT]
    bars = drawn()

    assert [bar["data-step"] for bar in bars] == [step.name for step in steps]
    for bar in bars:
        x, width = float(bar["x"]), float(bar["width"])
        assert x >= NAMES
        assert SLIM <= width <= BARS
        assert x + width <= NAMES + 10 + BARS + SLIM


def test_a_bar_begins_where_the_one_before_ended():
    strength = next(part for part in waterfall(facts()) if part.title.startswith("strength"))

    for before, step in itertools.pairwise(strength.steps[:-1]):
        assert math.isclose(before.end, step.begin)


def test_every_bar_shows_the_stored_number_to_the_last_digit():
    odd = 0.1 + 0.2
    levers = LEVERS | {"steps": [*STEPS, {"name": "clamp", "a": odd, "e": odd, "a_change": odd / 3, "e_change": 0.0}]}
    (bar,) = [each for each in drawn(levers=levers) if each["data-step"] == "clamp" and each["data-change"] != "0.0"]

    assert (float(bar["data-value"]), float(bar["data-change"])) == (odd, odd / 3)


HOSTILE = "<script>alert(1)</script>\" onload='x' & ]]> \x00\x1b[31m\u202e\ud800"


def test_hostile_words_are_words():
    strength = STRENGTH | {"basis": HOSTILE}
    named = facts(token_ticker=HOSTILE, pm_strength=strength)
    text = draw_waterfall(waterfall(named), picture_title(named), is_file=True)

    root = ElementTree.fromstring(text.encode())
    assert {each.tag.partition("}")[2] for each in root.iter()} == {"svg", "title", "rect", "text"}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", text)
    assert not any(name.startswith("on") for each in root.iter() for name in each.attrib)


def test_a_piece_of_a_page_has_no_head_and_no_paper():
    text = draw_waterfall(waterfall(facts()), "t")

    assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg" class="waterfall"')
    assert f'width="{WIDTH}"' not in text.partition(">")[0]
    assert "style=" not in text
