"""The order of the buckets is of one evaluation, and its label can be read back."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.regime.bucket_rank import BucketRank, BucketScore, RegimeLabel, parse_regime_label, rank_buckets
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.phase import Phase

NOW = datetime(2025, 1, 1, tzinfo=UTC)
PHASES = st.one_of(st.none(), st.sampled_from(Phase))
LEADERS = st.one_of(
    st.none(), st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]*", fullmatch=True).filter(lambda name: name != "Unknown")
)


def rank(scores: dict[str, float]) -> BucketRank:
    return rank_buckets([BucketScore(bucket, NOW, score) for bucket, score in scores.items()], NOW)


def test_the_best_score_leads_and_positions_count_from_one():
    found = rank({"nano": 0.1, "micro": 0.9, "mid": -2.0})

    assert found.order == ("micro", "nano", "mid")
    assert found.leader == "micro"
    assert [found.position(bucket) for bucket in ("micro", "nano", "mid")] == [1, 2, 3]


def test_xl_is_not_ranked_and_a_bucket_without_a_score_is_absent():
    found = rank({"xl": 9.0, "nano": math.nan, "mid": 0.0})

    assert found.order == ("mid",)
    assert found.position("nano") is None
    assert found.position("xl") is None


@given(st.permutations(list(CapBucket)))
def test_ties_stand_in_bucket_order_however_rows_arrive(order):
    assert rank(dict.fromkeys(order, 0.5)).order == ("nano", "micro", "mid", "big", "large")


def test_without_rows_nobody_leads():
    assert rank({}).leader is None


def test_rows_of_two_evaluations_are_refused():
    rows = [BucketScore("nano", NOW, 1.0), BucketScore("mid", NOW - timedelta(hours=1), 2.0)]

    with pytest.raises(ValueError, match="Expected rows of"):
        rank_buckets(rows, NOW)


@pytest.mark.parametrize("rows", [[("nano", 1.0), ("nano", 2.0)], [("small", 1.0)], [("nano", math.inf)]])
def test_rows_that_cannot_be_are_refused(rows):
    with pytest.raises(ValueError, match="Expected"):
        rank_buckets([BucketScore(bucket, NOW, score) for bucket, score in rows], NOW)


def test_other_groups_rank_alike():
    rows = [BucketScore("base", NOW, 1.0), BucketScore("solana", NOW, 2.0)]

    assert rank_buckets(rows, NOW, tie_order=("base", "solana"), excluded=()).order == ("solana", "base")


def test_the_documents_label():
    label = RegimeLabel(macro=Phase.RECOVER, meso=Phase.DIP, micro=Phase.GOOD, bucket_leader="micro")

    assert str(label) == "macro=Recover|meso=Dip|micro=Good|bucket_leader=micro"


def test_with_no_bucket_eligible_the_label_still_has_its_parts():
    label = RegimeLabel(macro=None, meso=None, micro=None, bucket_leader=rank({}).leader)

    assert str(label) == "macro=Unknown|meso=Unknown|micro=Unknown|bucket_leader=Unknown"
    assert parse_regime_label(str(label)) == label


@given(PHASES, PHASES, PHASES, LEADERS)
def test_a_label_reads_back_as_it_was(macro, meso, micro, leader):
    label = RegimeLabel(macro=macro, meso=meso, micro=micro, bucket_leader=leader)

    assert parse_regime_label(str(label)) == label


@pytest.mark.parametrize(
    "text",
    [
        "",
        "macro=Good|meso=Dip|micro=Good",
        "macro=Great|meso=Dip|micro=Good|bucket_leader=nano",
        "macro=good|meso=Dip|micro=Good|bucket_leader=nano",
        "macro=|meso=Dip|micro=Good|bucket_leader=nano",
        "macro=Good|meso=Dip|micro=Good|bucket_leader=nano\n",
        "meso=Dip|macro=Good|micro=Good|bucket_leader=nano",
        "macro=Good|meso=Dip|micro=Good|bucket_leader=na|no",
    ],
)
def test_what_is_no_label_is_refused(text):
    with pytest.raises(ValueError, match="Expected macro="):
        parse_regime_label(text)


@pytest.mark.parametrize("part", ["", "Unknown", "a|b", "a=b", " Good"])
def test_a_leader_that_would_not_read_back_is_refused(part):
    with pytest.raises(ValueError, match="Expected a leader"):
        RegimeLabel(macro=None, meso=None, micro=None, bucket_leader=part)
