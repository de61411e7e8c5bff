"""Facts as rows: every column of the table, and back without a loss."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.learning.trade_fact import trade_facts
from domain.learning.trade_fact_row import fact_of_row, fact_row
from sql.schema import table_schema
from tests.domain.learning.closed_trades import OPENED_AT, action, facts, outcome
from tests.domain.learning.told_trades import evidence, told_trade

NUMBERS = st.floats(1e-9, 1e9, allow_subnormal=False)
SCOPES = st.fixed_dictionaries(
    {
        "curator": st.text("abcé 'Ω\\\"-", max_size=8),
        "bucket_rank_position": st.sampled_from(["1", "6"]),
        "btc_meso": st.just("S3"),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.none(), NUMBERS), SCOPES, NUMBERS, st.one_of(st.none(), st.floats(0, 48)))
def test_a_fact_comes_back_as_it_went(rr, scope, filled, to_s3):
    s3_at = None if to_s3 is None else OPENED_AT + timedelta(hours=to_s3)
    done = action(scope=scope, pm_strength_applied=1.1, filled_usd=filled)
    (fact,) = trade_facts(outcome(rr=rr, roi=rr, pnl_usd=rr, s3_at=s3_at), [done])

    assert fact_of_row(fact_row(fact)) == fact
    assert repr(fact_of_row(fact_row(fact))) == repr(fact)


def test_a_row_read_from_a_frame_is_the_same_fact():
    rows = [fact_row(fact) for fact in evidence(told_trade()).facts]
    frame = pl.DataFrame(rows, schema_overrides={"timestamp": pl.Datetime("us", "UTC")})

    assert [fact_of_row(row) for row in frame.to_dicts()] == list(evidence(told_trade()).facts)


def test_a_row_has_the_columns_of_the_table():
    (fact,) = facts()
    stamps = {"run_id", "computed_at", "code_version"}

    assert set(fact_row(fact)) | stamps == {
        column.name for column in table_schema("learning.pattern_trade_events").columns
    }


def test_a_row_is_known_from_the_closure_and_tells_its_scope_in_one_spelling():
    (fact,) = facts(scopes=({"timeframe": "1h", "chain": "solana"},))
    row = fact_row(fact)

    assert row["timestamp"] == fact.closed_at
    assert (row["scope"], row["scope_mask"]) == ('{"chain":"solana","timeframe":"1h"}', 258)


def test_an_object_already_read_and_another_offset_give_the_same_fact():
    (fact,) = facts()
    row = fact_row(fact)
    shifted = row["action_ts"].astimezone(timezone(timedelta(hours=2)))

    assert repr(fact_of_row(row | {"scope": json.loads(row["scope"]), "action_ts": shifted})) == repr(fact)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"schema_version": 2}, "schema_version must be 1, was 2"),
        ({"scope_mask": 4}, "scope_mask must be 260, was 4"),
        ({"timeframe": "2h"}, "'2h' is not a valid Timeframe"),
        ({"pattern_key": "uptrend.S1.entry"}, "Expected a pattern key"),
        ({"action_category": "buy"}, "Expected an action category"),
        ({"opened_at": datetime(2025, 3, 1, tzinfo=UTC).replace(tzinfo=None)}, "must have an offset"),
    ],
)
def test_a_row_this_code_would_misread_is_refused(changed, says):
    (fact,) = facts()

    with pytest.raises(ValueError, match=re.escape(says)):
        fact_of_row(fact_row(fact) | changed)
