"""Documents of a window: one a closed hour, the same however the window is cut."""

from datetime import timedelta

import polars as pl
import pytest

from domain.regime.regime_context import RegimeContext
from domain.regime.regime_context_frame import CONTEXT_SCHEMA, regime_context_frame
from domain.vocabulary.window import Window
from tests.regime_hours import BY_DEFAULT, DAY, HOUR, LADDER, composite_rows, judged_buckets, ladder_rows

HOURS = [DAY + hour * HOUR for hour in range(48)]
SILENT = {HOURS[5], HOURS[30]}
COMPOSITE = pl.DataFrame([row for at in HOURS if at not in SILENT for row in composite_rows(at)])
BUCKETS = pl.DataFrame(
    [
        row
        for number, at in enumerate(HOURS)
        if at not in SILENT
        for row in ladder_rows(at, LADDER | {"nano": number / 24})
    ]
)
JUDGED = pl.DataFrame(
    [*judged_buckets(DAY), *judged_buckets(DAY + timedelta(days=1), big="too_few_members")], infer_schema_length=None
)


def made(window: Window, *, as_of=HOURS[-1] + HOUR) -> pl.DataFrame:
    return regime_context_frame(COMPOSITE, BUCKETS, JUDGED, window=window, as_of=as_of, **BY_DEFAULT)


WHOLE = Window(HOURS[0], HOURS[-1] + HOUR)


def test_every_hour_that_has_closed_has_a_row():
    frame = made(WHOLE, as_of=HOURS[10] + timedelta(minutes=59))

    assert frame.schema == CONTEXT_SCHEMA
    assert frame["timestamp"].to_list() == HOURS[:10]


def test_an_hour_without_phases_has_nulls_and_unknown():
    row = made(WHOLE).row(5, named=True)
    context = RegimeContext.model_validate_json(row["context"])

    assert row["regime_label"] == "macro=Unknown|meso=Unknown|micro=Unknown|bucket_leader=Unknown"
    assert (context.macro, context.bucket_phases, len(context.bucket_population)) == (None, {}, 6)


@pytest.mark.parametrize("step", [1, 5, 24])
def test_windows_in_steps_give_the_rows_of_the_whole(step):
    cuts = [Window(HOURS[start], HOURS[start] + step * HOUR) for start in range(0, 48, step)]

    stepped = pl.concat([made(cut, as_of=min(cut.end, WHOLE.end)) for cut in cuts])

    assert stepped.filter(pl.col("timestamp") < WHOLE.end).equals(made(WHOLE).head(stepped.height))
    assert made(WHOLE).equals(made(WHOLE))


def test_an_hour_that_the_window_cuts_is_not_made():
    frame = made(Window(HOURS[2] + HOUR / 2, HOURS[5] + HOUR / 2))

    assert frame["timestamp"].to_list() == HOURS[3:5]


def test_a_day_is_judged_by_its_own_eligibility():
    ranks = [RegimeContext.model_validate_json(text).bucket_rank for text in made(WHOLE)["context"]]

    assert ("big" in ranks[23], "big" in ranks[24]) == (True, False)


def test_no_rows_at_all_give_unknown_hours():
    frame = regime_context_frame(
        COMPOSITE.clear(), BUCKETS.clear(), JUDGED.clear(), window=WHOLE, as_of=WHOLE.end, **BY_DEFAULT
    )

    assert (frame.height, frame["regime_label"].n_unique()) == (48, 1)
