"""Days as the research layer sees them, and trades to test its hypotheses on."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from domain.config.research import ResearchConfig
from domain.learning.research_digest import DigestCell, ResearchDigest, strongest
from domain.learning.scope_cell import cell_of_columns
from domain.learning.trade_fact import TradeFact
from domain.scopes.scope import parse_scope, scope_json
from tests.domain.learning.closed_trades import OPENED_AT, PATTERN, facts

CONFIG = ResearchConfig()


def cell(
    effect: float | None = 0.4, p: float | None = 0.02, verdict: str = "not_significant", **scope: str
) -> DigestCell:
    """A cell of the entries of S1; one hour unless its scope is said."""
    scope = scope or {"timeframe": "1h"}
    row = {"pattern_key": PATTERN, "action_category": "entry", "scope_values": scope_json(parse_scope(scope))}
    return DigestCell(
        cell=cell_of_columns(row),
        verdict=verdict,
        n_trades=40,
        edge=effect,
        effect_rr=effect,
        effect_low=None if effect is None else effect - 0.3,
        effect_high=None if effect is None else effect + 0.3,
        p_value=p,
        oos_p_value=None,
    )


def digest_of(
    *hypotheses: DigestCell, lessons: tuple[DigestCell, ...] = (), n_trades: int = 120, **config
) -> ResearchDigest:
    """A day with these cells."""
    empty = ResearchDigest(
        day=date(2025, 3, 9),
        n_trades=n_trades,
        baseline_rr=0.1234567,
        verdicts={"promoted": len(lessons), "not_significant": len(hypotheses)},
        n_active=0,
        n_hypotheses=0,
        lessons=(),
        hypotheses=(),
    )
    return strongest(empty, list(lessons), list(hypotheses), ResearchConfig(**config))


def traded(
    days: int, *, gain: float = 0.0, first: int = 0, per_day: int = 4, seed: int = 1, **scope: str
) -> Iterator[TradeFact]:
    """So many trades a day of one scope and as many of the other timeframe, whose mean is `gain` R lower."""
    rng = np.random.default_rng(seed)
    for number in range(days * per_day * 2):
        inside = number % 2 == 0
        opened = OPENED_AT + timedelta(days=first + number // (per_day * 2), minutes=number)
        yield from facts(
            f"t{first:03}-{number:05}-{seed}",
            float(rng.normal(gain if inside else 0.0, 0.5)),
            ({"timeframe": "1h" if inside else "4h", **scope},),
            opened_at=opened,
            closed_at=opened + timedelta(hours=3),
        )
