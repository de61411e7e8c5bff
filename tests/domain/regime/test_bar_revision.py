from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from domain.regime.bar_quarantine import BAR_KEY, QUARANTINE_SCHEMA, RAW_SCHEMA
from domain.regime.bar_revision import FarRevisions, far_revisions, merge_revisions

T0 = datetime(2025, 1, 1, tzinfo=UTC)
FIRST, SECOND = T0 + timedelta(days=1), T0 + timedelta(days=2)


def bars(*closes: tuple[int, float]) -> pl.DataFrame:
    """Flat bars of one series, from (minute, close) pairs."""
    rows = [
        ("T", "bsc", "1m", T0 + timedelta(minutes=minute), close, close, close, close, 1.0, "venue")
        for minute, close in closes
    ]
    return pl.DataFrame(rows, schema=RAW_SCHEMA, orient="row")


def stored(*closes: tuple[int, float]) -> pl.DataFrame:
    return merge_revisions(bars().with_columns(known_at=pl.lit(FIRST)), bars(*closes), known_at=FIRST).rows_to_store


def test_equal_rows_keep_the_time_they_became_known():
    merged = merge_revisions(stored((0, 1.0)), bars((0, 1.0)), known_at=SECOND)

    assert merged.rows_to_store["known_at"].to_list() == [FIRST]
    assert merged.superseded.is_empty()


def test_a_changed_row_is_known_from_now_on_and_the_old_one_is_kept_aside():
    merged = merge_revisions(stored((0, 1.0)), bars((0, 2.0)), known_at=SECOND)

    assert merged.rows_to_store.select("close_usd", "known_at").row(0) == (2.0, SECOND)
    assert merged.superseded.select("close_usd", "reason").row(0) == (1.0, "superseded")
    assert "close_usd 1.0 -> 2.0" in merged.superseded["detail"][0]


def test_a_late_row_is_added_and_a_forgotten_one_stays():
    merged = merge_revisions(stored((0, 1.0), (1, 1.0)), bars((1, 1.0), (2, 1.0)), known_at=SECOND)

    assert merged.rows_to_store["known_at"].to_list() == [FIRST, FIRST, SECOND]
    assert merged.rows_to_store.select(BAR_KEY).is_unique().all()


def test_merging_the_same_load_twice_changes_nothing():
    load = bars((0, 2.0), (1, 3.0))
    once = merge_revisions(stored((0, 1.0)), load, known_at=SECOND)

    twice = merge_revisions(once.rows_to_store, load, known_at=SECOND + timedelta(days=1))

    assert twice.rows_to_store.equals(once.rows_to_store)
    assert twice.superseded.is_empty()


def test_going_back_and_forth_leaves_a_row_for_each_belief():
    one = merge_revisions(stored((0, 1.0)), bars((0, 2.0)), known_at=SECOND)
    two = merge_revisions(one.rows_to_store, bars((0, 1.0)), known_at=SECOND + timedelta(days=1))
    three = merge_revisions(two.rows_to_store, bars((0, 2.0)), known_at=SECOND + timedelta(days=2))

    ids = pl.concat([one.superseded, two.superseded, three.superseded])["quarantine_id"]
    assert ids.n_unique() == 3


def test_other_tables_merge_by_their_own_columns_and_nan_equals_nan():
    samples = pl.DataFrame({"metric": ["BTC.d"] * 2, "timestamp": [T0, FIRST], "value_pct": [float("nan"), 60.0]})
    old = samples.with_columns(known_at=pl.lit(FIRST))
    load = samples.with_columns(pl.col("value_pct") + 1.0)

    merged = merge_revisions(
        old, load, known_at=SECOND, key_columns=("metric", "timestamp"), value_columns=("value_pct",)
    )

    assert merged.rows_to_store["known_at"].to_list() == [FIRST, SECOND]
    assert dict(merged.superseded.schema) == QUARANTINE_SCHEMA


@pytest.mark.parametrize("which", ["stored", "accepted"])
def test_a_key_that_occurs_twice_raises(which):
    frames = {"stored": stored((0, 1.0)), "accepted": bars((0, 1.0))}
    frames[which] = pl.concat([frames[which], frames[which]])

    with pytest.raises(ValueError, match=f"{which} must have one row a key"):
        merge_revisions(frames["stored"], frames["accepted"], known_at=SECOND)


def far(*accepted: tuple[int, float], others: tuple[tuple[int, float], ...] = (), **changed) -> FarRevisions:
    """Far rows of a load over bars of minutes 0 to 2 that closed at 10."""
    kept = bars((0, 10.0), (1, 10.0), (2, 10.0))
    return far_revisions(bars(*accepted), bars(*others), kept, min_ratio=5.0, **changed)


def closes(frame: pl.DataFrame) -> list[float]:
    return frame["close_usd"].to_list()


@pytest.mark.parametrize(("close", "is_far"), [(50.0, True), (49.9, False), (2.0, True), (2.01, False), (10.0, False)])
def test_a_row_is_far_from_the_step_ratio_on_to_either_side(close, is_far):
    found = far((1, close))

    assert closes(found.refused) == ([close] if is_far else [])
    assert closes(found.standing) == ([10.0] if is_far else [])


def test_a_far_row_says_its_ratio_and_its_reason_can_be_released():
    refused = far((1, 0.0625)).refused

    assert dict(refused.schema) == QUARANTINE_SCHEMA
    assert refused["reason"].to_list() == ["unit_step"]
    assert refused["detail"].to_list() == ["close 0.0625 is 0.00625 times the stored close 10.0"]
    assert far((1, 0.0625), released=refused["quarantine_id"]).refused.is_empty()


def test_a_bar_that_is_not_stored_is_not_far():
    assert far((3, 1000.0), others=((4, 0.1),)).refused.is_empty()


def test_every_row_of_a_bar_that_no_row_leaves_near_is_far():
    found = far((1, 90.0), others=((1, 80.0), (2, 70.0)))

    assert closes(found.refused) == [80.0, 90.0, 70.0]
    assert found.standing["timestamp"].to_list() == [T0 + timedelta(minutes=minute) for minute in (1, 2)]


def test_beside_a_near_row_a_far_one_is_refused_only_where_it_was_accepted():
    accepted, outdone = far((1, 90.0), others=((1, 11.0),)), far((1, 11.0), others=((1, 90.0),))

    assert (closes(accepted.refused), closes(accepted.standing)) == ([90.0], [])
    assert (closes(outdone.refused), closes(outdone.standing)) == ([], [])
