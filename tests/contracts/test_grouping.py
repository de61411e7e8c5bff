"""What a grouping promises, asked of the one by cap, of its twin in memory, and of a stranger's."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.regime.grouping import CapGrouping, Grouping, GroupingError, MemoryGrouping, grouped
from domain.vocabulary.cap_bucket import CapBucket
from sql.plugin import fulfilling
from tests.seams.launchpad_grouping import LaunchpadGrouping

DAY = date(2026, 3, 9)
TOKENS = pl.DataFrame(
    {
        "token_contract": ["a", "b", "b", "c"],
        "chain": ["x", "x", "y", "x"],
        "market_cap_usd": [5e4, 2e6, 4e7, 2e9],
        "circulating_supply": [1.0, None, 1.0, 1.0],
        "volume_24h_usd": [1.0, None, 1.0, 1.0],
        "liquidity_usd": [None, None, 1.0, 1.0],
        "bucket": ["nano", "micro", "mid", "xl"],
        "more": [1, 2, 3, 4],
    }
)


def by_cap(folder: Path) -> Grouping:
    return CapGrouping()


def memory(folder: Path) -> Grouping:
    return MemoryGrouping({("a", "x"): CapBucket.BIG, ("b", "y"): CapBucket.NANO, ("gone", "x"): CapBucket.MID})


def launchpads(folder: Path) -> Grouping:
    file = folder / "launchpads.csv"
    file.write_text("token_contract,chain,launchpad\na,x,pump\nb,y,four\nc,x,other\n", encoding="utf-8")
    return LaunchpadGrouping(file)


@pytest.fixture(params=[by_cap, memory, launchpads], ids=lambda make: make.__name__)
def grouping(request: pytest.FixtureRequest, tmp_path: Path) -> Grouping:
    make: Callable[[Path], Grouping] = request.param
    return make(tmp_path)


def test_it_has_what_the_protocol_asks_for(grouping):
    assert fulfilling(grouping, Grouping, variable="X") is grouping
    assert grouping.name


def test_its_answer_is_accepted_and_keeps_every_other_column(grouping):
    made = grouped(TOKENS, grouping, day=DAY)

    assert made.columns == TOKENS.columns
    assert 0 < made.height <= TOKENS.height
    kept = made.join(TOKENS, on=["token_contract", "chain", "more"], how="semi")
    assert kept.height == made.height


def test_a_token_has_one_bucket_whatever_it_is_asked_with_and_in_which_order(grouping):
    whole = grouped(TOKENS, grouping, day=DAY)
    parts = pl.concat([grouped(TOKENS[place : place + 1], grouping, day=DAY) for place in (3, 1, 0, 2)])

    assert_frame_equal(whole.sort("more"), parts.sort("more"))


def test_asking_again_gives_the_same_and_changes_nothing(grouping):
    before = TOKENS.clone()

    assert_frame_equal(grouped(TOKENS, grouping, day=DAY), grouped(TOKENS, grouping, day=DAY))
    assert_frame_equal(TOKENS, before)


def test_no_tokens_are_in_no_group(grouping):
    assert grouped(TOKENS.clear(), grouping, day=DAY).is_empty()


class Answering:
    name = "odd"

    def __init__(self, **columns):
        self.columns = columns

    def buckets(self, tokens, *, day):
        return pl.DataFrame(self.columns)


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"token_contract": ["a"], "bucket": ["nano"]}, "without"),
        ({"token_contract": ["a"], "chain": ["x"], "bucket": ["small"]}, "'small'"),
        ({"token_contract": ["a", "a"], "chain": ["x", "x"], "bucket": ["nano", "mid"]}, "named twice"),
        ({"token_contract": ["z"], "chain": ["x"], "bucket": ["nano"]}, "not asked for"),
        ({"token_contract": ["a"], "chain": ["x"], "bucket": [None]}, "None"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(columns, complaint):
    with pytest.raises(GroupingError, match=complaint):
        grouped(TOKENS, Answering(**columns), day=DAY)
