"""Reading and replacing windows of real tables."""

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest

from domain.vocabulary.window import Window
from resources.inline_check import BlockedByCheckError, InlineCheck
from resources.stamp import Stamp
from resources.tables import Tables, content_hash
from tests.stored_rows import stored_state

pytestmark = pytest.mark.postgres

TABLE = "regime.dominance_sample"
DAY = Window(datetime(2025, 1, 2, tzinfo=UTC), datetime(2025, 1, 3, tzinfo=UTC))
STAMP = Stamp("a-run", "1")
NO_FUTURE = InlineCheck("samples_were_taken", "check_dominance_samples_were_taken", "why")


def samples(start: datetime, count: int, *, value: float = 50.0, known_at: datetime = DAY.end) -> pl.DataFrame:
    """Five-minute samples of BTC.d from `start`."""
    return pl.DataFrame(
        {
            "metric": "BTC.d",
            "timeframe": "5m",
            "timestamp": [start + timedelta(minutes=5 * i) for i in range(count)],
            "value_pct": [value + i for i in range(count)],
            "source": "test",
            "known_at": known_at,
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC"), "known_at": pl.Datetime("us", "UTC")},
    )


def whole() -> pl.DataFrame:
    return Tables().read(TABLE, DAY.with_lookback(timedelta(days=30)))


def test_a_window_is_read_back_as_it_was_written(database):
    frame = samples(DAY.start, 4)

    Tables().replace(TABLE, DAY, frame, stamp=STAMP)

    assert whole().select(frame.columns).equals(frame)


def test_writing_twice_leaves_the_same_rows(database):
    tables = Tables()
    tables.replace(TABLE, DAY, samples(DAY.start, 4), stamp=STAMP)
    before = whole()

    second = tables.replace(TABLE, DAY, samples(DAY.start, 4), stamp=Stamp("another-run", "1"))

    assert second.deleted == 4
    assert whole().drop("run_id", "computed_at").equals(before.drop("run_id", "computed_at"))


def test_only_the_window_is_replaced(database):
    tables = Tables()
    yesterday = Window(DAY.start - timedelta(days=1), DAY.start)
    tables.replace(TABLE, yesterday, samples(yesterday.start, 3), stamp=STAMP)

    tables.replace(TABLE, DAY, samples(DAY.start, 2), stamp=STAMP)
    tables.replace(TABLE, DAY, samples(DAY.start, 0), stamp=STAMP)

    assert whole()["timestamp"].to_list() == samples(yesterday.start, 3)["timestamp"].to_list()


def test_a_failed_check_leaves_the_old_window(database):
    tables = Tables()
    tables.replace(TABLE, DAY, samples(DAY.start, 2), stamp=STAMP)
    too_early = samples(DAY.start, 3, known_at=DAY.start + timedelta(minutes=5))

    with pytest.raises(BlockedByCheckError, match=r"samples_were_taken \(1 rows\)") as blocked:
        tables.replace(TABLE, DAY, too_early, stamp=STAMP, checks=[NO_FUTURE])

    assert blocked.value.failed == {"samples_were_taken": 1}
    assert whole().height == 2


def test_a_row_outside_the_window_is_refused(database):
    with pytest.raises(ValueError, match="1 rows lie outside"):
        Tables().replace(TABLE, DAY, samples(DAY.end - timedelta(minutes=5), 2), stamp=STAMP)

    assert whole().is_empty()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (samples(DAY.start, 1).drop("source"), r"lacks \['source'\]"),
        (samples(DAY.start, 1).with_columns(note=pl.lit("x")), r"unknown columns \['note'\]"),
    ],
)
def test_columns_must_be_those_of_the_table(database, frame, message):
    with pytest.raises(ValueError, match=message):
        Tables().replace(TABLE, DAY, frame, stamp=STAMP)


def test_a_constraint_of_the_table_is_the_second_wall(database):
    with pytest.raises(Exception, match="dominance_sample_value_pct_check"):
        Tables().replace(TABLE, DAY, samples(DAY.start, 1, value=120.0), stamp=STAMP)

    assert whole().is_empty()


def test_the_last_rows_of_each_key_come_back_in_key_order(database):
    tables = Tables()
    both = pl.concat([samples(DAY.start, 5), samples(DAY.start, 3).with_columns(metric=pl.lit("USDT.d"))])
    tables.replace(TABLE, DAY, both, stamp=STAMP)

    last = tables.read_last(TABLE, DAY.start + timedelta(minutes=15), rows=2, columns=["value_pct"])

    assert last.rows() == [
        ("BTC.d", "5m", DAY.start + timedelta(minutes=5), 51.0),
        ("BTC.d", "5m", DAY.start + timedelta(minutes=10), 52.0),
        ("USDT.d", "5m", DAY.start + timedelta(minutes=5), 51.0),
        ("USDT.d", "5m", DAY.start + timedelta(minutes=10), 52.0),
    ]


def test_the_last_rows_of_an_empty_table_are_none(database):
    assert Tables().read_last(TABLE, DAY.end).is_empty()


def test_an_instant_of_another_timezone_is_the_same_instant(database):
    tables = Tables()
    tables.replace(TABLE, DAY, samples(DAY.start, 3), stamp=STAMP)
    second_in_tokyo = (DAY.start + timedelta(minutes=5)).astimezone(timezone(timedelta(hours=9)))

    last = tables.read_last(TABLE, second_in_tokyo)

    assert last["timestamp"].to_list() == [DAY.start]


def test_a_naive_instant_is_refused():
    with pytest.raises(ValueError, match="timezone-aware"):
        Tables().read_last(TABLE, DAY.start.replace(tzinfo=None))


def test_a_chain_is_held_by_one_at_a_time(database):
    tables = Tables()

    with tables.alone("regime") as first, tables.alone("regime", wait=False) as second:
        assert (first, second) == (True, False)
    with tables.alone("regime", wait=False) as third:
        assert third


def test_the_content_hash_does_not_depend_on_how_the_frame_was_made():
    frame = samples(DAY.start, 6)
    in_parts = pl.concat([frame.head(2), frame.slice(2)], rechunk=False)
    cut = pl.concat([samples(DAY.start - timedelta(minutes=5), 1), frame]).slice(1)

    assert content_hash(frame) == content_hash(in_parts) == content_hash(cut)
    assert content_hash(frame) != content_hash(frame.with_columns(value_pct=pl.col("value_pct") + 1e-12))


def both_metrics() -> pl.DataFrame:
    return pl.concat([samples(DAY.start, 5), samples(DAY.start, 3).with_columns(metric=pl.lit("USDT.d"))])


def series(*names: str, **columns: object) -> pl.DataFrame:
    return pl.DataFrame(
        {"metric": names, "timeframe": "5m", **columns},
        schema_overrides={
            "metric": pl.String,
            "timeframe": pl.String,
            **dict.fromkeys(columns, pl.Datetime("us", "UTC")),
        },
    )


def minute(number: int) -> datetime:
    return DAY.start + timedelta(minutes=number)


def test_a_window_read_in_no_order_has_the_same_rows(database):
    Tables().replace(TABLE, DAY, both_metrics(), stamp=STAMP)

    unordered = Tables().read(TABLE, DAY, is_ordered=False)

    assert unordered.sort("metric", "timestamp").equals(Tables().read(TABLE, DAY))


def test_last_rows_may_be_asked_of_some_series_only(database):
    tables = Tables()
    tables.replace(TABLE, DAY, both_metrics(), stamp=STAMP)

    last = tables.read_last(TABLE, minute(15), rows=2, columns=["value_pct"], series=series("USDT.d", "it's none"))

    assert last.sort("timestamp").rows() == [("USDT.d", "5m", minute(5), 51.0), ("USDT.d", "5m", minute(10), 52.0)]
    assert tables.read_last(TABLE, DAY.end, series=series()).is_empty()


def test_each_series_may_have_its_own_stretch_of_time(database):
    tables = Tables()
    tables.replace(TABLE, DAY, both_metrics(), stamp=STAMP)
    asked = series("BTC.d", "USDT.d", since=[minute(5), None], before=[minute(15), minute(10)])

    last = tables.read_last(TABLE, DAY.end, rows=9, columns=["value_pct"], series=asked)

    found = last.group_by("metric").agg(pl.col("timestamp").sort())
    assert dict(found.rows()) == {"BTC.d": [minute(5), minute(10)], "USDT.d": [minute(0), minute(5)]}


def test_series_without_a_column_of_the_key_are_refused():
    with pytest.raises(ValueError, match=r"lacks \['timeframe'\]"):
        Tables().read_last(TABLE, DAY.end, series=series("BTC.d").drop("timeframe"))


def test_only_what_changed_is_written_and_the_rest_keeps_its_stamps(database):
    tables = Tables()
    tables.replace(TABLE, DAY, samples(DAY.start, 4), stamp=STAMP)
    frame = samples(DAY.start, 5).with_columns(
        value_pct=pl.when(pl.col("timestamp") == minute(15)).then(1.0).otherwise("value_pct")
    )

    done = tables.replace(TABLE, DAY, frame, stamp=Stamp("another-run", "1"), only_changes=True)

    assert (done.rows, done.unchanged, done.deleted) == (2, 3, 1)
    assert whole()["run_id"].to_list() == ["a-run"] * 3 + ["another-run"] * 2
    assert whole().select(frame.columns).equals(frame)


def test_a_row_that_is_no_longer_wanted_is_a_change(database):
    tables = Tables()
    tables.replace(TABLE, DAY, samples(DAY.start, 4), stamp=STAMP)

    done = tables.replace(TABLE, DAY, samples(DAY.start, 2), stamp=STAMP, only_changes=True)

    assert (done.rows, done.unchanged, done.deleted) == (0, 2, 2)
    assert whole().height == 2


def test_new_code_rewrites_all_of_a_window(database):
    tables = Tables()
    tables.replace(TABLE, DAY, samples(DAY.start, 4), stamp=STAMP)

    done = tables.replace(TABLE, DAY, samples(DAY.start, 4), stamp=Stamp("a-run", "2"), only_changes=True)

    assert (done.rows, done.unchanged) == (4, 0)


def token_states(at: datetime, timeframe: str, count: int, minutes: int) -> pl.DataFrame:
    """State rows of one token from `at` on."""
    row = stored_state("", timeframe, at) | {"token_contract": "a", "chain": "x"}
    stamps = ("driver", "run_id", "computed_at", "code_version")
    absent = {
        **dict.fromkeys(("prev_state", "transition", "transition_reason", "exit_reason"), pl.String),
        **dict.fromkeys(("ts", "ts_with_boost", "sr_boost", "ox", "dx", "edx"), pl.Float64),
        "s3_start_at": pl.Datetime("us", "UTC"),
        "bars_since_s3": pl.Int32,
    }
    rows = [row | {"timestamp": at + timedelta(minutes=minutes * i)} for i in range(count)]
    frame = pl.DataFrame(rows, schema_overrides={"timestamp": pl.Datetime("us", "UTC"), "gate_mask": pl.Int32})
    return frame.drop(stamps).with_columns(**{name: pl.lit(None, dtype=kind) for name, kind in absent.items()})


def test_a_replacement_may_leave_rows_of_its_window_and_forget_older_ones(database):
    tables, name = Tables(), "regime.token_uptrend_state"
    window = Window(DAY.start - timedelta(days=1), DAY.end)
    minutes, hours = token_states(minute(-6), "1m", 12, 1), token_states(minute(-60), "1h", 3, 60)
    tables.replace(name, window, pl.concat([minutes, hours]), stamp=STAMP)

    done = tables.replace(
        name,
        window,
        token_states(minute(0), "1m", 2, 1),
        stamp=STAMP,
        forget="delete_window_but_old_minutes",
        prune="prune_minutes",
        values={"delete_window_but_old_minutes": (minute(0),), "prune_minutes": (minute(0), 2)},
    )

    left = tables.read(name, window)
    assert left["timestamp"].to_list() == [minute(-2), minute(-1), minute(0), minute(1)]
    assert done.deleted == 6 + 3
