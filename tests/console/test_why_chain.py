"""`lowcap why` over rows the real chain made: a bar of a composite finds as many members as it was made of."""

from datetime import UTC, date, datetime

import pytest

from console.lineage import Ref, walk
from console.lineage_kind import DOWN, UP, Edge
from console.lineage_rows import LIVE, StoredLineage, plain
from console.session import reading
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from tests.chain_runs import TWO_MEMBERS, configure, days_before, run_chain, small_market
from tests.learned_world import rows

pytestmark = pytest.mark.postgres

LAST = date(2026, 3, 9)
AS_OF = datetime(2026, 3, 10, tzinfo=UTC)
BARS = (
    'SELECT DISTINCT ON (driver, timeframe, date_trunc(\'hour\', "timestamp")) driver, timeframe, "timestamp",'
    " component_count FROM regime.regime_price_data_ohlc WHERE timeframe IN ('1m', '1h', '1d')"
    ' ORDER BY driver, timeframe, date_trunc(\'hour\', "timestamp"), "timestamp"'
)


@pytest.fixture(scope="module")
def made(module_database):
    """Two days of the chain, with twelve low-caps in five buckets."""
    configure(TWO_MEMBERS)
    run_chain(days_before(LAST, 1), LAST, as_of=AS_OF, market=small_market(simulation_lowcaps=12))
    return {ref_of(row): row["component_count"] for row in rows(BARS)}


def ref_of(row) -> Ref:
    return Ref(LIVE, "driver_bar", (row["driver"], DEFAULT_BOOK_ID, row["timeframe"], plain(row["timestamp"])))


def linked(refs: list[Ref], edges: tuple[Edge, ...]) -> dict[Ref, list[tuple[int, Ref]]]:
    """What some rows lead to, with the whole number of each link."""
    found: dict[Ref, list[tuple[int, Ref]]] = {ref: [] for ref in refs}
    with reading() as connection:
        source = StoredLineage(connection)
        stored = source.rows(refs)
        for edge in edges:
            for reached in source.follow(edge, LIVE, list(stored.values()), 100):
                found[list(stored)[reached.n]].append((reached.total, reached.ref))
    return found


def test_a_bar_of_a_composite_finds_every_member_it_was_made_of(made):
    composites = {ref: count for ref, count in made.items() if not ref.key[0].endswith(".d")}

    members = linked(list(composites), UP["driver_bar"])
    assert len({ref.key[0] for ref in composites}) >= 4
    assert {ref: len(found) for ref, found in members.items()} == composites


def test_a_member_leads_back_to_the_bar_it_was_found_by(made):
    composites = [ref for ref in made if ref.key[0] not in {"BTC.d", "USDT.d"} and ref.key[2] == "1h"][:40]
    members = linked(composites, UP["driver_bar"])
    of_kind = {kind: {other for found in members.values() for _, other in found if other.kind == kind}
               for kind in ("major_bar", "token_bar")}  # fmt: skip

    back = {ref: {other for _, other in found} for kind, refs in of_kind.items()
            for ref, found in linked(sorted(refs), DOWN[kind]).items()}  # fmt: skip
    assert [(ref, other) for ref, found in members.items() for _, other in found if ref not in back[other]] == []


def test_a_bar_of_dominance_leads_to_samples_that_lead_back(made):
    bars = [ref for ref in made if ref.key[0] in {"BTC.d", "USDT.d"}][:60]
    samples = linked(bars, UP["driver_bar"])
    back = linked(sorted({other for found in samples.values() for _, other in found}), DOWN["sample"])

    assert all(samples.values())
    lost = [
        (ref, other)
        for ref, found in samples.items()
        for _, other in found
        if ref not in {each for _, each in back[other]}
    ]
    assert lost == []


def test_every_state_stands_on_candles(made):
    states = [Ref(LIVE, "driver_state", ref.key) for ref in made if ref.key[2] == "1h"][-8:]
    with reading() as connection:
        source = StoredLineage(connection)
        walks = [walk(source, ref, edges=UP, depth=5, most=3, max_rows=500) for ref in states]

    reached = [{ref.kind for ref, node in lineage.nodes.items() if node.row is not None} for lineage in walks]
    assert all(kinds & {"major_bar", "token_bar", "sample"} for kinds in reached)
