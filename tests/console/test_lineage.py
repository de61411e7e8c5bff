"""The walk of a lineage over rows in memory: each row once, lists whole in number, and few questions."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from console.lineage import Reached, Ref, Row, lineage_document, made_by, walk
from console.lineage_doubt import with_doubts
from console.lineage_kind import DOWN, KEYS, TABLES, UP, Edge
from console.lineage_words import words_of
from domain.learning.tuned_gate import GATES_OF
from domain.learning.tuning_override import tuned_pattern
from domain.portfolio.buy_check import GATE_LEVER
from domain.scopes.pattern_key import TuningFamily
from sql.queries import query
from sql.schema import table_schema

CHAIN = (Edge("made of", "driver_ta", query="below"),)
RUN = "0d9f2c1e-6a55-4f0e-9d55-1f8a4f6f2b10"


class Numbers:
    """Rows named by numbers: below each stand its multiples by 2 and 3, up to a largest one."""

    def __init__(self, largest: int, absent: Sequence[int] = ()) -> None:
        self.largest = largest
        self.absent = absent
        self.asked = 0

    def rows(self, refs: Sequence[Ref]) -> Mapping[Ref, Row]:
        self.asked += 1
        return {ref: {"driver": ref.key[0], "run_id": RUN} for ref in refs if ref.key[0] not in self.absent}

    def follow(self, edge: Edge, world: str, sources: Sequence[Row], most: int) -> Iterator[Reached]:
        self.asked += 1
        for n, row in enumerate(sources):
            below = [number for number in (row["driver"] * 2, row["driver"] * 3) if number <= self.largest]
            for number in below[:most]:
                yield Reached(n, len(below), ref_of(number), {})


def ref_of(number: int) -> Ref:
    return Ref("", "driver_ta", (number, "", "", ""))


def told(source: Numbers, *, depth: int = 20, most: int = 2, max_rows: int = 1000, edge: Edge = CHAIN[0]) -> Any:
    edges = {"driver_ta": (edge,)}
    lineage = walk(source, ref_of(1), edges=edges, depth=depth, most=most, max_rows=max_rows)
    return lineage, lineage_document(lineage)


def numbers_of(node: Mapping[str, Any], *, is_whole: bool = True) -> list[int]:
    below = [found for link in node.get("links", ()) for found in link["found"]]
    own = [] if is_whole and node.get("is_told_elsewhere") else [node["key"]["driver"]]
    return own + [number for found in below for number in numbers_of(found, is_whole=is_whole)]


def test_each_row_is_told_once_and_named_wherever_else_it_is_reached():
    lineage, document = told(Numbers(12))

    assert sorted(numbers_of(document)) == sorted(ref.key[0] for ref in lineage.nodes) == [1, 2, 3, 4, 6, 8, 9, 12]
    assert sorted(numbers_of(document, is_whole=False)) == [1, 2, 3, 4, 6, 6, 8, 9, 12, 12]


def test_a_walk_asks_once_a_link_and_a_level_however_many_rows_there_are():
    few, many = Numbers(16), Numbers(2**4 * 3**4)
    told(few, depth=4)
    told(many, depth=4)

    assert many.asked == few.asked == 9


def test_a_walk_ends_where_it_was_asked_to_and_says_what_it_did_not_ask():
    _, document = told(Numbers(100), depth=1)

    assert "links" in document
    assert [set(found) & {"links", "row"} for found in document["links"][0]["found"]] == [{"row"}] * 2


def test_a_link_that_is_cut_tells_how_many_there_are():
    _, document = told(Numbers(100), depth=1, most=1)

    assert (document["links"][0]["total"], document["links"][0]["shown"]) == (2, 1)


def test_a_walk_that_grows_too_large_says_where_it_stopped():
    cut, _ = told(Numbers(10_000), max_rows=20)
    whole, _ = told(Numbers(12), max_rows=20)

    assert cut.is_cut_at == len(cut.nodes) >= 20
    assert whole.is_cut_at is None


@pytest.mark.parametrize(("is_optional", "said"), [(False, [{"is_there": False}]), (True, [])])
def test_a_key_that_leads_to_nothing_is_told_unless_it_need_not_lead_anywhere(is_optional, said):
    edge = Edge("made of", "driver_ta", query="below", is_optional=is_optional)
    _, document = told(Numbers(2, absent=[2]), edge=edge)

    found = [found for link in document["links"] for found in link["found"]]
    assert [{"is_there": each["is_there"]} for each in found] == said


def test_only_a_run_of_dagster_has_a_page():
    assert made_by({"run_id": RUN})["run_page"] == f"/runs/{RUN}"
    assert made_by({"run_id": "sensor 7", "code_version": "1", "config_version": None}) == {
        **{"run_id": "sensor 7", "code_version": "1"}
    }


@pytest.mark.parametrize("edge", [edge for edges in (UP, DOWN) for each in edges.values() for edge in each])
def test_every_link_is_a_query_or_as_many_columns_as_the_key_it_leads_to(edge):
    if edge.query:
        assert "%(sources)s" in query(edge.query)
    assert bool(edge.query) != bool(edge.columns)
    assert not edge.columns or len(edge.columns) == len(KEYS[edge.kind])


@pytest.mark.parametrize("kind", KEYS)
def test_every_kind_can_be_read_and_said(kind):
    assert "%(keys)s" in query(f"rows_of_{kind}")
    assert TABLES[kind].partition(".")[0] in {"regime", "pm", "learning"}
    with pytest.raises(KeyError):
        words_of(kind, {})


@pytest.mark.parametrize("kind", sorted(KEYS.keys() - {"trade", "action"}))
def test_a_key_names_columns_of_its_table(kind):
    assert set(KEYS[kind]) <= {column.name for column in table_schema(TABLES[kind]).columns}


def test_tuned_gates_and_patterns_are_those_learning_writes():
    text = query("tuning_of_override")
    gates = {(lever, gate) for family in GATES_OF.values() for gate in family for lever in (GATE_LEVER[gate],)}

    assert set(re.findall(r"\('(\w+)', '(\w+)'\)", text)) == {(str(lever), str(gate)) for lever, gate in gates}
    patterns = {(str(tuned_pattern(family)), str(family)) for family in TuningFamily}
    assert set(re.findall(r"\('(pm\.uptrend\S+)', '(pm\.\w+)'\)", text)) == patterns


def node(kind: str, row: Mapping[str, Any], *below: Mapping[str, Any], total: int | None = None) -> dict[str, Any]:
    links = [{"link": "", "total": total or len(below), "found": list(below)}] if below else []
    return {"kind": kind, "row": dict(row), "links": links}


def lesson(**values: Any) -> dict[str, Any]:
    return {"lesson_type": "pm_strength", "n_trades": 40, "as_of": "B", **values}


DRIVER_BAR = {"source": "composite", "component_count": 8}
ACTION = {"regime_states": {"btc_macro": "S1"}, "seen": {"bar": {"close_usd": 2.0}}}
OVERRIDE = {"as_of": "B", "n_trades": 40, "lesson_id": "x"}
TRADE = node("trade", {}) | {"beside": {"with_rr": 39}}


@pytest.mark.parametrize(
    ("told_node", "doubt"),
    [
        (node("override", OVERRIDE, node("lesson", lesson())), None),
        (node("override", OVERRIDE), "no lesson x stands"),
        (node("override", OVERRIDE, node("lesson", lesson(as_of="C"))), "learned again since"),
        (node("override", OVERRIDE, node("lesson", lesson(n_trades=41))), "it counts 40 trades"),
        (node("lesson", lesson(), TRADE), "measured on 40 trades, its cell holds 39"),
        (node("lesson", lesson(n_trades=39), TRADE), None),
        (node("lesson", lesson(), node("statistic", {"n_trades": 41})), "now count 41 trades"),
        (node("lesson", lesson(lesson_type="tuning")), "windows of opportunity"),
        (node("action", ACTION, node("score", {"btc_macro": "S3"})), "read other states of btc_macro"),
        (node("action", ACTION, node("score", {"btc_macro": "S1"})), None),
        (node("action", ACTION, node("token_bar", {"close_usd": 2.1})), "read another close_usd"),
        (node("driver_bar", DRIVER_BAR, node("token_bar", {}), total=7), "made of 8 components, now there are 7"),
        (node("driver_bar", DRIVER_BAR, node("token_bar", {}), total=8), None),
        (node("driver_bar", DRIVER_BAR), "now there are 0"),
    ],
)
def test_what_does_not_agree_is_told_at_its_row(told_node, doubt):
    doubts = with_doubts(told_node).get("doubts", [])

    assert (len(doubts), all(doubt in said for said in doubts)) == ((1, True) if doubt else (0, True))
