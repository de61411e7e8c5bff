"""The printed schema is that of the documents, and what the portfolio computes becomes a part of one as it is."""

import json

import pytest

from domain.config.cap_bucket import CapBucketConfig
from domain.config.portfolio import ExposureConfig, MaskWeightConfig, PortfolioConfig
from domain.portfolio.exposure_cell import Candidate, Holding
from domain.portfolio.exposure_skew import explain_skew, exposure_masks
from domain.portfolio.override_set import compile_overrides
from domain.portfolio.pm_action import LeverStepPart, MaskCrowdingPart, SizeStepPart, StrengthPart
from domain.portfolio.pm_strength import apply_pattern_strength_overrides
from domain.portfolio.sizing import size_trim
from domain.portfolio.strand import StrandKind, strand_schema
from domain.portfolio.strand_part import RegimeStates
from domain.portfolio.strict_json import canonical_json
from domain.scores.token_lever import compute_levers
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.driver import CHANNEL_NAMES
from tests.domain.portfolio.override_rows import HERE, NOW, S1, WEIGHTS, override_row
from tests.domain.portfolio.strand_documents import DOCUMENTS, NAMED, changed, problems

KINDS = pytest.mark.parametrize("kind", StrandKind)


@KINDS
def test_a_document_is_allowed_by_the_printed_schema(kind):
    assert list(problems(DOCUMENTS[kind](), kind)) == []
    assert json.loads(canonical_json(strand_schema(kind)))["$schema"].endswith("2020-12/schema")


@pytest.mark.parametrize(("kind", "pointer"), NAMED)
def test_the_printed_schema_wants_every_named_key(kind, pointer):
    assert list(problems(changed(DOCUMENTS[kind](), pointer, ...), kind)) != []


def test_the_fifteen_channels_are_named_in_their_order():
    assert tuple(RegimeStates.model_fields) == CHANNEL_NAMES


# ---- from what the portfolio computes ----
def test_what_the_portfolio_computes_becomes_a_part_as_it_is():
    overrides = compile_overrides([override_row(4), override_row(5, HERE, multiplier=0.8)], NOW)
    found = apply_pattern_strength_overrides(
        overrides, S1, ActionCategory.ENTRY, HERE, as_of=NOW, weights=MaskWeightConfig(root_weight=0.0)
    )
    part = StrengthPart.model_validate(found)

    assert [(each.override_id, each.weight_share) for each in part.matched] == [(5, 1.0), (4, 0.0)]
    assert part.matched[0].values == HERE
    assert part.multiplier == found.multiplier == 0.8


def test_waterfalls_and_crowding_become_parts_as_they_are():
    levers = compute_levers(0.55, 0.25, bucket=CapBucket.NANO, standing=None, intent=None, config=CapBucketConfig())
    held = Holding(position_id="b", pattern_key=S1, scope=HERE, exposure_usd=50.0)
    mine = Candidate(position_id="a", pattern_key=S1, scope=HERE)
    config = ExposureConfig()
    crowd = explain_skew([held], mine, masks=exposure_masks(config), config=config, weights=WEIGHTS)

    assert [LeverStepPart.model_validate(step).a for step in levers.waterfall] == [s.a for s in levers.waterfall]
    sold = size_trim(100.0, e=0.5, config=PortfolioConfig())
    assert [SizeStepPart.model_validate(step).amount for step in sold.waterfall] == [100.0, 5.0]
    assert [MaskCrowdingPart.model_validate(mask).scope_exposure_usd for mask in crowd] == [50.0] * 3
