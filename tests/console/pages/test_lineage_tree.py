"""The nested list of a walk: rows are numbered where they are told, and lead to the page of their kind and world."""

from typing import Any

import pytest

from console.lineage_kind import KEYS, TABLES
from console.pages.lineage_tree import lineage_tree, page_of

TRADE = {"token_contract": "0x1", "chain": "base", "timeframe": "1h", "closed_at": None}
FACT = {"rr": None, "rr_absent_reason": "flat", "action_category": "entry", "pattern_key": "p", "scope": {}}
FACT |= {"action_ts": "2025-06-01T00:00:00+00:00", "trade_id": "t1"}


def node(kind: str, key: dict[str, Any], row: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    said = {"kind": kind, "table": TABLES[kind], "key": key} | values
    return said | ({} if row is None else {"row": row, "made_by": {}})


def link(words: str, *found: dict[str, Any], total: int | None = None) -> dict[str, Any]:
    return {"link": words, "total": len(found) if total is None else total, "shown": len(found), "found": list(found)}


FACT_NODE = node("fact", {"action_id": "a1"}, FACT)
AGAIN = node("trade", {"trade_id": "t1"}, is_told_elsewhere=True)
ROOT = node(
    "trade", {"trade_id": "t1"}, TRADE, links=[link("facts", FACT_NODE | {"links": [link("of", AGAIN)]}, total=9)]
)


def test_a_row_told_elsewhere_has_the_number_of_the_place_where_it_is_told():
    root = lineage_tree(ROOT)

    fact = root.branches[0].rows[0]
    again = fact.branches[0].rows[0]
    assert (root.number, fact.number, again.number) == (0, 1, 0)
    assert (root.stands, again.stands, again.page) == ("told", "elsewhere", None)


def test_a_link_that_is_cut_says_so():
    branch = lineage_tree(ROOT).branches[0]

    assert (branch.is_cut, branch.count) == (True, " 1 of 9 shown (most=)")


def test_a_row_that_is_gone_leads_nowhere():
    gone = lineage_tree(node("lesson", {"lesson_id": "l1", "timestamp": "2025-06-01T00:00:00+00:00"}))

    assert (gone.stands, gone.page, gone.why) == ("absent", None, None)
    assert gone.words == "l1, 2025-06-01 00:00Z"


EVENING, NEXT_DAY = "2025-06-09T20:00:00+00:00", "2025-06-10T00:00:00Z"
LESSON = {"lesson_id": "l", "timestamp": "2025-06-09T00:00:00+00:00"}


@pytest.mark.parametrize(
    ("kind", "row", "base", "values"),
    [
        ("override", {"override_id": 7}, "/override", {"replay": "r1"}),
        ("fact", {"trade_id": "t"}, "/trade", {"replay": "r1"}),
        ("lesson", LESSON, "/lesson", {"day": "2025-06-09", "replay": "r1"}),
        ("score", {"timeframe": "4h", "timestamp": EVENING}, "/regime", {"as_of": NEXT_DAY, "timeframe": "4h"}),
        ("context", {"timestamp": EVENING}, "/regime", {"as_of": "2025-06-09T21:00:00Z"}),
        ("config", {"version": 3}, "/config", {"version": "3"}),
    ],
)
def test_a_kind_leads_to_its_page_in_its_world(kind, row, base, values):
    lead = page_of(kind, row, "r1")

    assert (lead.base, dict(lead.values)) == (base, values)


def test_a_row_of_the_runtime_is_not_looked_for_in_the_replay_the_page_is_about():
    assert page_of("trade", {"trade_id": "t"}, None).values == {"replay": None}


def test_a_kind_without_a_page_leads_nowhere():
    assert [kind for kind in KEYS if kind not in PAGED and page_of(kind, {}, None) is not None] == []


PAGED = {
    *("override", "lesson", "trade", "fact", "action", "fill", "learning_run", "statistic", "hypothesis", "config"),
    *("tuning_state", "tuning_verdict", "tuning_rate", "score", "context", "driver_state", "quarantine"),
}
