"""`lowcap explain --svg`: the picture of a real action shows the stored numbers, and its product is the order."""

import math
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.console.ticked_trade import change, order_of, trade_of

pytestmark = pytest.mark.postgres

RECT = "{http://www.w3.org/2000/svg}rect"


def bars_of(svg: str) -> list[tuple[str, float | None, float | None]]:
    """Step, value and change of every bar of a picture."""

    def number(attributes: dict[str, str], name: str) -> float | None:
        return float(attributes[name]) if name in attributes else None

    found = [each.attrib for each in ElementTree.fromstring(svg.encode()).iter(RECT) if "data-step" in each.attrib]
    return [(each["data-step"], number(each, "data-value"), number(each, "data-change")) for each in found]


def stored(facts: dict[str, Any]) -> list[tuple[str, float | None, float | None]]:
    """What the picture of a buy must show, in its order, from the facts alone."""
    shown: list[tuple[str, float | None, float | None]] = []
    levers, strength, skew = facts["levers"], facts["pm_strength"], facts["exposure_skew"]
    for lever in ("a", "e"):
        first, *rest = levers["steps"]
        shown.append(("base", levers["base"], None))
        shown += [(each["name"], None, each[lever]) for each in levers["channels"] if each["status"] == "ok"]
        shown.append((first["name"], first[lever], None))
        shown += [(step["name"], step[lever], step[f"{lever}_change"]) for step in rest]
        shown.append((f"{lever.upper()} used", levers[f"{lever}_value"], None))
    shown += [("neutral", 1.0, None), *((None, None, each["multiplier"]) for each in strength["matched"])]
    shown += [("strength", strength["multiplier"], None), ("nothing near", skew["highest"], None)]
    shown += [(None, mask["scope_exposure_usd"], None) for mask in skew["masks"]]
    shown.append(("exposure skew", skew["skew"], None))
    return shown


def test_every_number_of_the_picture_is_the_stored_one(ended_trade, lowcap, lowcap_json):
    bars = bars_of(lowcap("explain", order_of("entry"), "--svg", "-").stdout)
    expected = stored(lowcap_json("explain", order_of("entry")))

    assert [bar[1:] for bar in bars[: len(expected)]] == [each[1:] for each in expected]
    assert all(name in (None, bar[0]) for (name, *_), bar in zip(expected, bars, strict=False))


def test_the_product_of_the_picture_is_the_order_that_was_stored(ended_trade, lowcap, lowcap_json):
    bars = bars_of(lowcap("explain", order_of("entry"), "--svg", "-").stdout)
    facts = lowcap_json("explain", order_of("entry"))
    names = [name for name, *_ in bars]
    money = [bar for bar in bars[names.index("wallet") :] if bar[0] != "remaining" or bar[2] is not None]

    product = 1.0
    for step, (name, value, factor) in zip(facts["sizing"]["steps"][:-1], money, strict=False):
        product *= value if factor is None else factor
        assert (name, value) == (step["name"], step["amount"])
        assert value == product
    assert money[-1] == ("order", facts["order"]["order_usd"], None)
    assert facts["order"]["order_usd"] == facts["sizing"]["steps"][-1]["amount"] == pytest.approx(product, rel=1e-15)


def test_the_parts_of_strength_and_skew_make_them_up(ended_trade, lowcap_json):
    facts = lowcap_json("explain", order_of("entry"))
    strength, skew = facts["pm_strength"], facts["exposure_skew"]

    assert math.prod(each["factor"] for each in strength["matched"]) == pytest.approx(strength["multiplier"], rel=1e-12)
    changes = math.fsum(mask["skew_change"] for mask in skew["masks"])
    assert skew["highest"] + changes == pytest.approx(skew["skew"], rel=1e-12)


@pytest.mark.parametrize("category", ["trim", "exit"])
def test_a_sale_says_that_nothing_learned_touched_it(ended_trade, lowcap, category):
    svg = lowcap("explain", order_of(category), "--svg", "-").stdout

    assert "absent: nothing that is sold depends on what was learned" in svg
    assert "absent: crowding is asked of buys only" in svg
    assert [name for name, *_ in bars_of(svg)][-3:] == ["holding", "size_frac", "order"]


def test_the_file_holds_what_would_be_printed(ended_trade, lowcap, tmp_path):
    file = tmp_path / "action.svg"
    result = lowcap("explain", order_of("entry"), "--svg", str(file))

    assert (result.exit_code, result.stdout) == (0, "")
    assert file.read_text(encoding="utf-8") == lowcap("explain", order_of("entry"), "--svg", "-").stdout


def test_the_text_names_the_bucket_multiplier_and_where_a_skew_begins(ended_trade, lowcap):
    lines = [" ".join(line.split()) for line in lowcap("explain", order_of("entry")).stdout.splitlines()]

    assert any(line.startswith("bucket multiplier x ") for line in lines)
    assert any(line.endswith("from 1.33 with nothing near") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--svg", "-", "--json"), "Expected --svg FILE or --json, not both"),
        (("--svg", "/no/such/folder/a.svg"), "Cannot write '/no/such/folder/a.svg': No such file or directory"),
        (("--svg", "a\0b"), "Cannot write"),
        (("--svg", "."), "Cannot write '.': Is a directory"),
    ],
)
def test_a_picture_that_cannot_be_is_refused(ended_trade, lowcap, arguments, complaint):
    result = lowcap("explain", order_of("entry"), *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr


def test_a_trade_has_no_picture_and_its_actions_are_named(ended_trade, lowcap):
    result = lowcap("explain", trade_of(), "--svg", "-")

    assert result.exit_code == 2
    assert f"its actions have: {order_of('entry')[:8]}" in result.stderr


def test_channels_that_do_not_add_up_are_said_to_be_absent(begun_trade, lowcap):
    change("UPDATE regime.ae_score SET a_raw = 0.7")
    svg = lowcap("explain", order_of("entry"), "--svg", "-").stdout

    assert "absent: the channels, for the score was made again since" in svg
    assert "btc_macro" not in [name for name, *_ in bars_of(svg)]
