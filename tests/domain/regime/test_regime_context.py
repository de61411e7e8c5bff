"""The document of an hour says what its rows say, in one spelling, and nothing about other hours."""

import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.cap_bucket import BucketOrderMultipliers
from domain.regime.bucket_eligibility import SkipReason
from domain.regime.bucket_rank import parse_regime_label
from domain.regime.regime_context import (
    RegimeContext,
    UnrankedReason,
    get_regime_context,
    regime_context_schema,
)
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.phase import Phase
from tests.json_schema import problems
from tests.regime_hours import (
    BY_DEFAULT,
    DAY,
    HOUR,
    LADDER,
    bucket_row,
    composite_row,
    composite_rows,
    context_of,
    eligibility_row,
    judged_buckets,
    ladder_rows,
)

AT = DAY + 7 * HOUR
FINITE = st.floats(allow_nan=False, allow_infinity=False)
MAYBE = st.one_of(st.none(), FINITE)


@st.composite
def contexts(draw) -> RegimeContext:
    """Documents of any hour that can be: parts missing, ties, any float, buckets kept out."""
    shape = {
        "slope": MAYBE,
        "curvature": MAYBE,
        "delta_res": MAYBE,
        "confidence": st.one_of(st.none(), st.floats(0, 1)),
    }
    measures = st.fixed_dictionaries(
        {"phase": st.sampled_from([phase.value for phase in Phase]), "score": FINITE} | shape
    )
    composite = [composite_row(AT, horizon.value, **draw(measures)) for horizon in Horizon if draw(st.booleans())]
    buckets = [bucket_row(AT, bucket.value, **draw(measures)) for bucket in CapBucket if draw(st.booleans())]
    reasons = st.sampled_from([None, *(reason.value for reason in SkipReason)])
    judged = [eligibility_row(DAY, bucket.value, draw(reasons)) for bucket in CapBucket if draw(st.booleans())]
    return get_regime_context(AT, composite, buckets, judged, **BY_DEFAULT)


@given(contexts())
def test_any_document_reads_back_as_it_was_and_its_label_too(context):
    text = context.to_json()

    assert RegimeContext.model_validate_json(text) == context
    assert RegimeContext.model_validate_json(text).to_json() == text
    assert parse_regime_label(context.regime_label) == context.label()


@given(contexts())
def test_any_document_is_allowed_by_the_printed_schema(context):
    assert list(problems(json.loads(context.to_json()), regime_context_schema())) == []


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("schema_version", 2),
        ("macro", {}),
        ("bucket_rank", ["small"]),
        ("bucket_rank_position", {"small": 1}),
        ("regime_label", None),
        ("evaluated_at", "2025-03-04T07:00:00"),
        ("note", "x"),
    ],
)
def test_what_is_no_document_is_refused_by_the_schema(part, value):
    document = json.loads(context_of(AT).to_json()) | {part: value}

    assert list(problems(document, regime_context_schema())) != []


def test_the_document_of_an_hour_has_this_text():
    scores = {"nano": 0.1, "xl": 2.0}

    text = get_regime_context(
        AT, composite_rows(AT, {"macro": "Recover"}), ladder_rows(AT, scores), judged_buckets(), **BY_DEFAULT
    ).to_json()

    measures = '"slope":0.2,"curvature":0.1,"delta_res":0.3,"confidence":0.8'
    phase = '"slope":0.2,"confidence":0.8,"curvature":0.1,"delta_res":0.3,"pending_label":null'
    ranked = '{"multiplier":1.2,"basis":"ranked","rank_adjustment":0.12,"slope_term":0.08000000000000002}'
    off = '{"multiplier":1.0,"basis":"%s","rank_adjustment":null,"slope_term":null}'
    unscored = ",".join(f'"{name}":{off % "no_phase"}' for name in ("micro", "mid", "big", "large"))
    assert text == (
        '{"schema_version":1,"evaluated_at":"2025-03-04T07:00:00Z","known_at":"2025-03-04T08:00:00Z",'
        f'"macro":{{"phase":"Recover","score":0.8,{measures},"dwell_remaining_hours":4.0,"pending_label":null}},'
        '"meso":null,"micro":null,'
        f'"bucket_phases":{{"nano":{{"phase":"Good","score":0.1,{phase}}},"xl":{{"phase":"Good","score":2.0,{phase}}}}},'
        '"bucket_rank":["nano"],"bucket_rank_position":{"nano":1},'
        '"bucket_population":{"nano":20,"micro":20,"mid":20,"big":20,"large":20,"xl":20},'
        '"bucket_skipped":{"micro":"no_meso_score","mid":"no_meso_score","big":"no_meso_score",'
        '"large":"no_meso_score","xl":"telemetry_only"},'
        f'"bucket_multipliers":{{"nano":{ranked},{unscored},"xl":{off % "telemetry_only"}}},'
        '"regime_label":"macro=Recover|meso=Unknown|micro=Unknown|bucket_leader=nano","config_version":1}'
    )


def test_the_order_in_which_rows_arrive_does_not_matter():
    rows = (composite_rows(AT), ladder_rows(AT), judged_buckets())

    forwards, backwards = (get_regime_context(AT, *order, **BY_DEFAULT) for order in (rows, [r[::-1] for r in rows]))

    assert forwards.to_json() == backwards.to_json()


def test_the_ladder_is_that_of_the_meso_scores_and_ties_stand_in_bucket_order():
    context = context_of(AT, {"large": 0.5, "mid": 0.5, "nano": 0.1, "micro": 0.9})

    assert context.bucket_rank == ("micro", "mid", "large", "nano")
    assert context.bucket_rank_position == {"micro": 1, "mid": 2, "large": 3, "nano": 4}
    assert context.regime_label == "macro=Recover|meso=Dip|micro=Good|bucket_leader=micro"


def test_xl_is_shown_but_neither_ranked_nor_multiplied():
    context = context_of(AT, LADDER | {"xl": 9.0})

    assert context.bucket_phases[CapBucket.XL].score == 9.0
    assert CapBucket.XL not in context.bucket_rank
    assert context.bucket_skipped == {"xl": "telemetry_only"}
    assert context.bucket_multipliers[CapBucket.XL].multiplier == 1.0


def test_without_any_row_every_part_is_unknown_and_every_bucket_says_why():
    context = get_regime_context(AT, [], [], [], **BY_DEFAULT)

    assert context.regime_label == "macro=Unknown|meso=Unknown|micro=Unknown|bucket_leader=Unknown"
    assert set(context.bucket_skipped.values()) == {UnrankedReason.NOT_JUDGED}
    assert {part.basis for part in context.bucket_multipliers.values()} == {"no_phase", "telemetry_only"}
    assert (context.macro, context.bucket_population) == (None, {})


def test_a_bucket_kept_out_has_its_population_and_reason_and_no_place():
    judged = judged_buckets(micro="too_few_members")

    context = get_regime_context(AT, composite_rows(AT), ladder_rows(AT), judged, **BY_DEFAULT)

    assert context.bucket_rank == ("nano", "mid", "big", "large")
    assert context.bucket_population[CapBucket.MICRO] == 20
    assert context.bucket_skipped[CapBucket.MICRO] is UnrankedReason.TOO_FEW_MEMBERS
    assert context.bucket_multipliers[CapBucket.MICRO].multiplier == 1.0


def test_multipliers_differ_along_a_ladder_of_equal_slopes():
    multipliers = [context_of(AT).bucket_multipliers[bucket].multiplier for bucket in context_of(AT).bucket_rank]

    assert all(better > worse for better, worse in pairwise(multipliers))


def test_a_rank_that_the_configuration_does_not_name_adjusts_nothing():
    config = BucketOrderMultipliers(strength=1, rank_adjustments={1: 0.12})

    context = get_regime_context(
        AT, composite_rows(AT), ladder_rows(AT, slope=0.0), judged_buckets(), config=config, config_version=2
    )

    leader, second = (context.bucket_multipliers[bucket] for bucket in context.bucket_rank[:2])
    assert (leader.multiplier, second.multiplier) == (1.12, 1.0)
    assert (second.rank_adjustment, second.basis) == (0.0, "ranked")


@pytest.mark.parametrize(
    ("composite", "buckets", "judged"),
    [
        (composite_rows(AT - HOUR), [], []),
        ([], [bucket_row(AT, "nano", 1.0), bucket_row(AT - HOUR, "mid", 2.0)], []),
        ([], [], judged_buckets(DAY - 24 * HOUR)),
    ],
    ids=["composite", "bucket", "eligibility"],
)
def test_a_row_of_another_time_is_refused(composite, buckets, judged):
    with pytest.raises(ValueError, match=r"Expected rows of .* only"):
        get_regime_context(AT, composite, buckets, judged, **BY_DEFAULT)


def test_a_row_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="Expected one row"):
        get_regime_context(AT, composite_rows(AT) * 2, [], [], **BY_DEFAULT)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("measure", ["score", "slope", "confidence"])
def test_a_number_that_json_does_not_know_is_refused(measure, value):
    with pytest.raises(ValueError, match=r"finite|less than"):
        get_regime_context(AT, [composite_row(AT, "macro", **{measure: value})], [], [], **BY_DEFAULT)


@pytest.mark.parametrize("at", [AT + HOUR / 2, AT.replace(tzinfo=None)])
def test_an_evaluation_that_is_no_hour_in_utc_is_refused(at):
    with pytest.raises(ValueError, match="evaluated_at"):
        get_regime_context(at, [], [], [], **BY_DEFAULT)


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"known_at": AT}, "known_at is an hour later"),
        ({"bucket_rank": ("nano", "micro", "mid", "big", "large")}, "best score first"),
        ({"bucket_rank_position": {}}, "bucket_rank_position follows"),
        ({"bucket_skipped": {}}, "ranked or skipped"),
        ({"bucket_multipliers": {}}, "each bucket has a multiplier"),
        ({"regime_label": "macro=Good|meso=Dip|micro=Good|bucket_leader=micro"}, "the label is that"),
    ],
)
def test_a_document_that_contradicts_itself_is_refused(change, fact):
    parts = context_of(AT).model_dump() | change

    with pytest.raises(ValueError, match=fact):
        RegimeContext.model_validate(parts)


def test_every_reason_of_eligibility_is_a_reason_of_the_document():
    assert {reason.value for reason in SkipReason} <= {reason.value for reason in UnrankedReason}
