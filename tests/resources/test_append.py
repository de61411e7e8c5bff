"""Rows with an identity are appended once."""

from datetime import UTC, datetime

import polars as pl
import pytest

from resources.stamp import Stamp
from resources.tables import Tables

pytestmark = pytest.mark.postgres
TABLE = "regime.regime_event"
AT = datetime(2025, 1, 1, tzinfo=UTC)


def events(*digits: str, payload: str = '{"a": 1}') -> pl.DataFrame:
    return pl.DataFrame(
        {
            "event_id": [digit * 64 for digit in digits],
            "kind": "bucket_rotation",
            "timestamp": AT,
            "bucket": None,
            "payload": payload,
            "config_version": 1,
        },
        schema_overrides={"bucket": pl.String, "timestamp": pl.Datetime("us", "UTC"), "config_version": pl.Int64},
    )


def stored() -> pl.DataFrame:
    return Tables().query("newest_regime_events", (10,))


def test_what_is_stored_already_is_left_alone(database):
    tables = Tables()

    first = tables.append(TABLE, events("a", "b"), stamp=Stamp("first", "1"))
    second = tables.append(TABLE, events("b", "c", payload='{"a": 2}'), stamp=Stamp("second", "1"))

    assert (first, second) == (2, 1)
    assert sorted(stored()["payload"]) == ['{"a": 1}', '{"a": 1}', '{"a": 2}']


def test_nothing_to_append_is_no_row(database):
    assert Tables().append(TABLE, events(), stamp=Stamp("r", "1")) == 0
    assert stored().is_empty()


def test_a_row_the_table_refuses_leaves_none_of_them(database):
    wrong = pl.concat([events("a"), events("b").with_columns(kind=pl.lit("rumour"))])

    with pytest.raises(Exception, match="regime_event_kind_check"):
        Tables().append(TABLE, wrong, stamp=Stamp("r", "1"))

    assert stored().is_empty()
