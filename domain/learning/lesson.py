"""Lessons: cells whose trades end otherwise than like trades do, of which chance and each other are no explanation.

Under `honest` a cell must differ in the earlier trades, as one of a family of tests; differ the same way in the later
ones, as one of all that the run discovered; have an edge worth acting on; add to the lessons accepted before; and last.
Under `documents` it must have enough trades and a large enough edge. The same questions are kept under both.

What belongs here: the order of the steps. What does not: each of them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from domain.config.learning import EdgeConfig
from domain.config.lesson import LessonConfig
from domain.learning.lattice import MinedCells
from domain.learning.lesson_evidence import Evidence, lesson_evidence
from domain.learning.lesson_hypothesis import LessonHypothesis, LessonRun, Verdict
from domain.learning.lesson_redundancy import AcceptedCell, Candidate, explain_cells, p_of_cells
from domain.learning.lesson_root import CategoryTrades, ask_roots, category_trades
from domain.learning.lesson_search import ROOT, Asked, CellTree, ask_all, search_cells
from domain.learning.lesson_verdict import NOT_COMPARED, Comparison, DecayFit, LessonRules, comparison_of, confirm
from domain.learning.trade_fact import ScopeCell
from domain.learning.trade_group import TradeGroup
from domain.vocabulary.action import ActionCategory

NO_FITS: Mapping[ScopeCell, DecayFit] = MappingProxyType({})
Hypotheses = dict[ScopeCell, LessonHypothesis]


def build_lessons(
    groups: Sequence[TradeGroup],
    mined: Sequence[MinedCells],
    *,
    baseline_rr: float,
    recent_edges: Mapping[ScopeCell, Sequence[float]],
    config: LessonConfig,
    edge: EdgeConfig,
    fits: Mapping[ScopeCell, DecayFit] = NO_FITS,
) -> LessonRun:
    """Lessons of a run, and every hypothesis that was tried.

    Parameters
    ----------
    groups : sequence of TradeGroup
        Closed trades known at the run, one a pattern and category. Trades whose rr is unknown take no part.
    mined : sequence of MinedCells
        Cells of each group, in the same order.
    baseline_rr : float
        `get_rr_baseline`, R; with NaN nothing is promoted.
    recent_edges : mapping of ScopeCell to sequence of float
        Earlier `edge_raw` of cells, oldest first.
    config : LessonConfig
        Rules.
    edge : EdgeConfig
        k, prior, windows of the edge.
    fits : mapping of ScopeCell to DecayFit
        Decay of the edges of cells, where it was fitted.

    Returns
    -------
    LessonRun
        Decided by the trades alone, whatever their order.

    Raises
    ------
    ValueError
        If there are not cells for each group, or a group comes twice.
    """
    _check(groups, mined)
    rules = LessonRules(baseline_rr=baseline_rr, recent_edges=recent_edges, fits=fits, config=config, edge=edge)
    large = [number for number, group in enumerate(groups) if group.n_trades >= config.min_trades]
    searches = {number: _search(mined[number], config) for number in large}
    categories = [category_trades(groups, category, config) for category in ActionCategory]
    roots = _root_comparisons(groups, mined, categories, large, config)
    compared = confirm(roots | {cell: each for part in searches.values() for cell, each in part.compared()}, config)
    asked = {number: _judged_group(searches[number], compared, rules) for number in large}
    hypotheses = {cell: each for part in asked.values() for cell, each in part.hypotheses.items()}
    hypotheses |= _judged_roots(roots, compared, mined, categories, asked, rules)
    hypotheses = _without_too_many({cell: _lasting(each, rules) for cell, each in hypotheses.items()}, config)
    return LessonRun(
        hypotheses=tuple(hypotheses[cell] for cell in sorted(hypotheses)),
        n_groups=sum(group.n_trades > 0 for group in groups),
        n_groups_too_small=sum(0 < group.n_trades < config.min_trades for group in groups),
        n_cells=sum(cells.n_cells for cells in mined),
        n_cells_cut=sum(cells.n_cut for cells in mined),
        n_cells_not_reached=sum(mined[number].n_cells - 1 - len(asked[number].hypotheses) for number in large),
        n_trades_purged=sum(part.evidence.n_purged for part in searches.values()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What was asked inside a group."""

    tree: CellTree
    evidence: Evidence
    asked: Asked

    def compared(self) -> Iterator[tuple[ScopeCell, Comparison]]:
        for i, cell in enumerate(self.asked.cell.tolist()):
            yield self.tree.mined.cells(cell), comparison_of(self.asked.judged, i, float(self.asked.q[i]))


@dataclass(frozen=True, slots=True, eq=False)
class _JudgedGroup:
    """Hypotheses inside a group, and the cells that are accepted beside each other."""

    hypotheses: Hypotheses
    accepted: tuple[AcceptedCell, ...]


def _check(groups: Sequence[TradeGroup], mined: Sequence[MinedCells]) -> None:
    names = [(group.pattern_key, group.action_category, group.n_trades) for group in groups]
    of_mined = [(each.group.pattern_key, each.group.action_category, each.group.n_trades) for each in mined]
    if names != of_mined:
        raise ValueError(f"Expected mined cells of each group, in order: {names}, were of {of_mined}")
    if len({name[:2] for name in names}) < len(names):
        raise ValueError(f"A group comes twice: {names}")


def _search(mined: MinedCells, config: LessonConfig) -> _Search:
    group, tree = mined.group, CellTree(mined)
    evidence = lesson_evidence(group.rr, group.closed_us, group.opened_us, config)
    ask = search_cells if config.promotion == "honest" else ask_all
    return _Search(tree, evidence, ask(tree, evidence, config))


def _judged_group(search: _Search, compared: Mapping[ScopeCell, Comparison], rules: LessonRules) -> _JudgedGroup:
    hypotheses = _hypotheses(search.tree.mined, search.asked, compared, rules)
    if rules.config.promotion == "documents":
        return _JudgedGroup(hypotheses, ())
    candidates = _candidates(search.tree, search.asked, hypotheses, search.evidence)
    return _without_explained(hypotheses, candidates, search.evidence, rules.config)


def _hypotheses(
    mined: MinedCells, asked: Asked, compared: Mapping[ScopeCell, Comparison], rules: LessonRules
) -> Hypotheses:
    shrunk = {ROOT: rules.shrunk_mean(mined.stats(ROOT), rules.baseline_rr)}
    found: Hypotheses = {}
    for cell, parent in zip(asked.cell.tolist(), asked.parent.tolist(), strict=True):
        name = mined.cells(cell)
        found[name] = rules.hypothesis(name, mined.cells(parent), mined.stats(cell), shrunk[parent], compared[name])
        shrunk[cell] = found[name].avg_rr_shrunk
    return found


def _candidates(tree: CellTree, asked: Asked, hypotheses: Hypotheses, evidence: Evidence) -> list[Candidate]:
    names = [tree.mined.cells(cell) for cell in asked.cell.tolist()]
    open_ones = [i for i, name in enumerate(names) if hypotheses[name].verdict is Verdict.PROMOTED]
    members, parents = tree.members(asked.cell[open_ones]), tree.members(asked.parent[open_ones])
    p = p_of_cells(evidence, members)
    n_tests = Counter(each.parent for each in hypotheses.values() if each.is_tested)
    return [
        Candidate(
            cell=names[i],
            members=members[k],
            population=parents[k],
            p=float(p[k]),
            direction=hypotheses[names[i]].discovery.effect,
            family=hypotheses[names[i]].parent,
            n_tests=n_tests[hypotheses[names[i]].parent],
        )
        for k, i in enumerate(open_ones)
    ]


def _without_explained(
    hypotheses: Hypotheses,
    candidates: Sequence[Candidate],
    evidence: Evidence,
    config: LessonConfig,
    before: Sequence[AcceptedCell] = (),
) -> _JudgedGroup:
    """Hypotheses with those explained told so, and the cells that were accepted."""
    found = explain_cells(evidence, candidates, before, config)
    told = {cell: replace(hypotheses[cell], verdict=verdict, explained_by=by) for cell, (verdict, by) in found.items()}
    accepted = (each for each in candidates if told[each.cell].verdict is Verdict.PROMOTED)
    return _JudgedGroup(hypotheses | told, tuple(AcceptedCell(each.cell, each.members) for each in accepted))


def _root_comparisons(
    groups: Sequence[TradeGroup],
    mined: Sequence[MinedCells],
    categories: Sequence[CategoryTrades],
    large: Sequence[int],
    config: LessonConfig,
) -> dict[ScopeCell, Comparison]:
    """Comparisons of whole groups; under `documents` also of those with nothing to compare with."""
    asked = ask_roots(groups, categories, config)
    if config.promotion == "documents":
        asked = {number: asked.get(number, NOT_COMPARED) for number in large}
    return {mined[number].cells(ROOT): found for number, found in asked.items()}


def _judged_roots(
    roots: Iterable[ScopeCell],
    compared: Mapping[ScopeCell, Comparison],
    mined: Sequence[MinedCells],
    categories: Sequence[CategoryTrades],
    asked: Mapping[int, _JudgedGroup],
    rules: LessonRules,
) -> Hypotheses:
    number_of = {mined[number].cells(ROOT): number for number in asked}
    found = {
        cell: rules.hypothesis(cell, None, mined[number_of[cell]].stats(ROOT), rules.baseline_rr, compared[cell])
        for cell in roots
    }
    if rules.config.promotion == "documents":
        return found
    for category in categories:
        found = _category_without_explained(found, category, number_of, asked, rules.config)
    return found


def _category_without_explained(
    found: Hypotheses,
    category: CategoryTrades,
    number_of: Mapping[ScopeCell, int],
    asked: Mapping[int, _JudgedGroup],
    config: LessonConfig,
) -> Hypotheses:
    """Explain whole groups by the cells accepted inside groups of their category, and by each other."""
    before = [
        AcceptedCell(cell.cell, category.members(number, cell.members))
        for number, part in asked.items()
        if number in category.places
        for cell in part.accepted
    ]
    candidates = [
        Candidate(
            cell=cell,
            members=category.members(number_of[cell]),
            population=np.ones(category.evidence.rr.size, np.bool_),
            p=each.discovery.p,
            direction=each.discovery.effect,
            family=None,
            n_tests=sum(other.is_tested for other in found.values()),
        )
        for cell, each in found.items()
        if number_of[cell] in category.places and each.verdict is Verdict.PROMOTED
    ]
    return _without_explained(found, candidates, category.evidence, config, before).hypotheses


def _lasting(hypothesis: LessonHypothesis, rules: LessonRules) -> LessonHypothesis:
    is_gone = hypothesis.verdict is Verdict.PROMOTED and rules.is_short_lived(hypothesis.cell)
    return replace(hypothesis, verdict=Verdict.SHORT_LIVED) if is_gone else hypothesis


def _without_too_many(hypotheses: Hypotheses, config: LessonConfig) -> Hypotheses:
    if config.promotion == "documents":
        return hypotheses
    taken: Counter[str] = Counter()
    told: Hypotheses = {}
    for each in sorted(_promoted(hypotheses.values()), key=lambda each: (-_weight(each), each.cell)):
        taken[each.cell.pattern_key] += 1
        if taken[each.cell.pattern_key] > config.max_lessons_per_pattern:
            told[each.cell] = replace(each, verdict=Verdict.TOO_MANY)
    return hypotheses | told


def _promoted(hypotheses: Iterable[LessonHypothesis]) -> list[LessonHypothesis]:
    return [each for each in hypotheses if each.verdict is Verdict.PROMOTED]


def _weight(hypothesis: LessonHypothesis) -> float:
    return abs(hypothesis.edge_shrunk) * hypothesis.edge.support_score
