"""How long rows are kept before `lowcap prune` may delete them. Nothing is deleted by itself."""

from pydantic import BaseModel, Field

LONGEST_LOOKBACK_DAYS = 400
"""Past that any calculation still reads, with room: nothing that is calculated from may be kept for less."""


class RetentionConfig(BaseModel, frozen=True, extra="forbid"):
    """Ages from which rows may be deleted, days; counted back from the oldest trade, order or episode still open."""

    dagster_days: int = Field(
        default=30,
        ge=7,
        le=36_500,
        description="Dagster's log lines, and materializations that a later one of the same partition replaced, from"
        " the end of their run. What says which partitions are made is kept. Days.",
    )
    minute_days: int = Field(
        default=LONGEST_LOOKBACK_DAYS,
        ge=LONGEST_LOOKBACK_DAYS,
        le=36_500,
        description="Rows of one minute in the tables of the regime, raw candles among them: no source may have those"
        " again. Days.",
    )
    tick_days: int = Field(
        default=90,
        ge=7,
        le=36_500,
        description="Ticks of one minute that decided nothing; those of orders and of learned actions are kept. Days.",
    )
    cell_days: int = Field(
        default=LONGEST_LOOKBACK_DAYS,
        ge=LONGEST_LOOKBACK_DAYS,
        le=36_500,
        description="Statistics of mined cells; they can be made again from the facts. Days.",
    )
    strand_days: int = Field(
        default=1095,
        ge=LONGEST_LOOKBACK_DAYS,
        le=36_500,
        description="Events of trades that were learned from, which no fact names; every other event is kept. Days.",
    )
