"""How much a component of the edge counts in a state of the market, and what it is learned from."""

from pydantic import BaseModel, Field


class RegimeWeightConfig(BaseModel, frozen=True, extra="forbid"):
    """From closed trades to a weight for each component of the edge, by state of the market."""

    min_trades: int = Field(
        default=33,
        ge=2,
        le=100_000,
        description="Trades from which a fit is told; below, that of all states is taken, and below that, weight 1.",
    )
    global_prior_trades: float = Field(
        default=30.0,
        gt=0,
        le=100_000,
        description="Strength of the ridge of the fit to all states, which pulls it to no effect; in trades.",
    )
    prior_trades: float = Field(
        default=100.0,
        gt=0,
        le=100_000,
        description="k: strength, in trades, with which a state is pulled to the fit of all. Its own n trades are"
        " believed by about n / (n + k), which is the confidence told.",
    )
    gain: float = Field(
        default=1.0,
        ge=0,
        le=10,
        description="Weight gained where one standard deviation of a feature goes with one of rr, a ratio. 0 = every"
        " weight is 1, and the edge is the plain one.",
    )
    shift_by_state: bool = Field(
        default=False,
        description="Whether what a state adds to the expected rr of a cell is added to its edge before the weights."
        " The documents only weight, which changes sizes and hardly the order of cells; the benchmark of regime"
        " weights tells both.",
    )
    is_served: bool = Field(
        default=False,
        description="Whether overrides are made of edges weighted for the regime of the day. Off: the weights are told"
        " and change nothing, for they were not found to rank cells better on later trades.",
    )
    weight_min: float = Field(default=0.3, gt=0, le=1, description="Lower clamp of a weight, a ratio.")
    weight_max: float = Field(default=1.7, ge=1, le=10, description="Upper clamp of a weight, a ratio.")
    min_cell_trades: int = Field(
        default=5,
        ge=1,
        le=10_000,
        description="Closed trades a cell must have before its features are known; of two there is no spread.",
    )
    min_token_trades: int = Field(
        default=3, ge=1, le=10_000, description="Trades of a token in a cell from which its mean has a say."
    )
    recurrence_days: float = Field(
        default=30.0, gt=0, le=3650, description="Past whose trades make the recurrence, days."
    )
    recurrence_trades: float = Field(
        default=10.0, gt=0, le=100_000, description="Trades in it at which the recurrence is tanh(1) = 0.76."
    )
