"""Lessons that share their trades, as `lowcap lessons --factors` shows them: who speaks for whom."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.learned_row import SHORT_ID, number, pattern_words, scope_words
from console.printing import print_table

Facts = Mapping[str, Any]

COLUMNS = ("factor", "speaks for it", "pattern, action", "where", "lessons", "least likeness", "trades", "the others")


def print_latent_factors(factors: Sequence[Facts]) -> None:
    """Print factors: the lesson that may become an override, and those that may not because of it."""
    several = [each for each in factors if each["n_lessons"] > 1]
    silent = sum(each["n_lessons"] - 1 for each in several)
    counts = f"{sum(each['n_lessons'] for each in factors)} lessons are {len(factors)} factors"
    title = f"{counts}; {len(several)} have several, in which {silent} lessons make no override"
    print_table(title, COLUMNS, [_cells(each) for each in factors])


def _cells(each: Facts) -> tuple[str, ...]:
    others = [lesson[:SHORT_ID] for lesson in each["lesson_ids"] if lesson != each["representative"]]
    named = f"{each['factor_id']}{'' if each['is_carried'] else ' (new)'}"
    return (
        *(named, each["representative"][:SHORT_ID], pattern_words(each), scope_words(each["scope"])),
        *(str(each["n_lessons"]), number(each["min_jaccard"], ".0%"), str(each["n_trades"])),
        " ".join(others) or "none",
    )
