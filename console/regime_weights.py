"""Weights of the components of an edge by regime, as `lowcap lessons --weights` shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.learned_row import number
from console.printing import print_table

Facts = Mapping[str, Any]

EVERY_REGIME = "all"
COMPONENTS = {
    "time_efficiency": "time",
    "field_coherence": "coherence",
    "recurrence": "recurrence",
    "variance": "variance",
}
"""Parts of an edge, and their columns."""

COLUMNS = ("regime", "action", "trades", "fitted to", "confidence", *COMPONENTS.values())


def print_regime_weights(weights: Sequence[Facts], is_served: bool | None) -> None:
    """Print weights, each with its effect.

    Parameters
    ----------
    weights : sequence of mapping
        Rows of `regime_weights_told`.
    is_served : bool or None
        Whether overrides are made with them; None where that is not known.
    """
    title = f"{len(weights)} weightings of the parts of an edge, with R a deviation{_SERVED[is_served]}"
    print_table(title, COLUMNS, [_cells(each) for each in weights])


_SERVED = {True: "; overrides are made with them", False: "; told only, no override is made with them", None: ""}


def _cells(each: Facts) -> tuple[str, ...]:
    parts = (_part(each[f"w_{name}"], each[f"effect_{name}_r"]) for name in COMPONENTS)
    numbers = (str(each["n_trades"]), _basis(each), number(each["confidence"], ".2f"))
    return (regime_words(each["regime_signature"]), each["action_category"], *numbers, *parts)


def _basis(each: Facts) -> str:
    """Say which trades the weights are made of: its own, those of another signature, or none."""
    if each["is_default"]:
        return "nothing"
    return f"{each['weights_of'] or 'own'} {each['n_fit_trades']}"


def _part(weight: float | None, effect: float | None) -> str:
    """Write a weight with what a standard deviation of its component is worth.

    >>> _part(1.2, 0.15), _part(1.0, None)
    ('1.20 (+0.15)', '1.00')
    """
    return number(weight, ".2f") + ("" if effect is None else f" ({effect:+.2f})")


def regime_words(signature: str) -> str:
    """Say a regime.

    >>> regime_words("btc_macro=up|alt_meso=flat"), regime_words("all")
    ('btc_macro=up alt_meso=flat', 'every regime')
    """
    return "every regime" if signature == EVERY_REGIME else signature.replace("|", " ")
