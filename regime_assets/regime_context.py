"""The regime as one JSON document an hour: composite phases, the ladder of the cap buckets, multipliers, label.

Reads the phases of the same hour and the eligibility of its day; every hour that has closed has a document, with nulls
where there is no phase. `regime.get_regime_context(as_of)` gives the one that was known at an instant.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import dagster as dg

from domain.regime.regime_context import RegimeContext
from domain.regime.regime_context_frame import regime_context_frame
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.phase import UNKNOWN_PHASE
from domain.vocabulary.timeframe import Timeframe
from regime_assets.chain_asset import ChainTable, Work
from resources.inline_check import InlineCheck

COMPOSITE, BUCKETS, ELIGIBILITY = "regime.phase_state", "regime.phase_state_bucket", "regime.bucket_eligibility"
DAY = timedelta(days=1)
HOURS_A_DAY = 24


def publish(work: Work) -> dg.MaterializeResult:
    frame = regime_context_frame(
        work.tables.read(COMPOSITE, work.window),
        work.tables.read(BUCKETS, work.window),
        work.tables.read(ELIGIBILITY, work.window, DAY),
        window=work.window,
        as_of=work.as_of,
        config=work.config.regime.cap_bucket.bucket_order_multipliers,
        config_version=work.config_version,
    )
    return work.replace(frame, metadata=_metadata(frame["regime_label"].to_list(), frame["context"].to_list()))


def _metadata(labels: Sequence[str], contexts: Sequence[str]) -> dict[str, Any]:
    if not labels:
        return {"regime_label": "none"}
    newest = RegimeContext.model_validate_json(contexts[-1])
    changes = sum(before != after for before, after in pairwise(labels))
    return {
        "regime_label": newest.regime_label,
        "ladder": dg.MetadataValue.md(ladder_table(newest)),
        "label_changes_per_day": changes / len(labels) * HOURS_A_DAY,
        "share_of_hours_with_unknown_parts": sum(UNKNOWN_PHASE in label for label in labels) / len(labels),
    }


def ladder_table(context: RegimeContext) -> str:
    """Markdown table of the buckets: the ranked ones best first, then the others with the reason."""
    unranked = [bucket for bucket in CapBucket if bucket not in context.bucket_rank]
    rows = [_ladder_row(context, bucket) for bucket in (*context.bucket_rank, *unranked)]
    head = ("rank", "bucket", "phase", "score", "slope", "confidence", "population", "multiplier")
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows))


def _ladder_row(context: RegimeContext, bucket: CapBucket) -> tuple[str, ...]:
    phase = context.bucket_phases.get(bucket)
    place = context.bucket_rank_position.get(bucket)
    measured = (phase.score, phase.slope, phase.confidence) if phase else (None, None, None)
    population = context.bucket_population.get(bucket)
    return (
        str(place) if place else context.bucket_skipped[bucket].value,
        bucket.value,
        phase.phase.value if phase else "-",
        *("-" if value is None else f"{value:.2f}" for value in measured),
        "-" if population is None else str(population),
        f"{context.bucket_multipliers[bucket].multiplier:.3f}",
    )


SPEC = ChainTable(
    table="regime.regime_context",
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(COMPOSITE, BUCKETS, ELIGIBILITY),
    shortest=Timeframe.H1,
    checks=(
        InlineCheck(
            "regime_label_is_of_its_phases",
            "check_regime_label_is_of_its_phases",
            "Consumers match on the label: it must say what the phase rows of that hour say.",
        ),
        InlineCheck(
            "bucket_rank_is_of_its_meso_scores",
            "check_bucket_rank_is_of_its_meso_scores",
            "A rank once mixed rows of different hours.",
        ),
    ),
)
