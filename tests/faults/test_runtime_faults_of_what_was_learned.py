"""Overrides written by hand, overrides that disagree, configurations that cannot be right, strands told often."""

from datetime import timedelta

import pytest

from domain.config.pm_config import ConfigError
from domain.learning.pattern_scope_stat import pattern_scope_stats
from domain.learning.trade_intake import Intake, StoredStrand, take_in
from domain.portfolio.strand import DeadLetter, StrandKind, parse_strand
from domain.scopes.bitmask import mask_of
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.meddling_store import MeddlingStore
from tests.portfolio_rows import START
from tests.portfolio_worlds import MemoryPortfolioWorld, PostgresPortfolioWorld
from tests.trade_life import EXIT, FREE, TRIM, TradeLife

GOOD = {
    **{"override_id": 1, "pattern_key": "pm.uptrend.S1.buy_flag", "action_category": "entry", "scope_mask": 4},
    **{"scope_values": '{"mcap_bucket":"micro"}', "lever": "pm_strength", "multiplier": 1.5, "confidence": 0.5},
    **{"n_trades": 40, "edge_raw": 0.4, "decay_mult": 0.9, "lesson_id": "lesson-1"},
    "expires_at": START + timedelta(days=14),
}
BY_HAND = {
    "a multiplier that is no number": {"multiplier": float("nan")},
    "fifty times the size": {"multiplier": 50.0},
    "a lever nobody knows": {"lever": "size_mult"},
    "a scope that is not what its mask says": {"scope_mask": 0},
    "an empty scope under a mask": {"scope_values": "{}"},
    "a scope that is no object": {"scope_values": "[]"},
    "a key given twice": {"scope_values": '{"mcap_bucket":"micro","mcap_bucket":"nano"}'},
    "a category that sells": {"action_category": "trim"},
    "a pattern under its old name": {"pattern_key": "uptrend.S1.entry"},
    "no confidence": {"confidence": 0.0},
    "no trade behind it": {"n_trades": 0},
    "expired": {"expires_at": START},
    "the same cell once more": {"lesson_id": "lesson-2"},
}


def bought_under(life: TradeLife, rows: list[dict]) -> float:
    """Return the strength of an entry under a set."""
    life.world.make_live(7, rows)
    life.watch()
    life.step("S1", buyable=True)
    return life.orders[0].decision["pm_strength_applied"]


@pytest.mark.parametrize("wrong", BY_HAND.values(), ids=BY_HAND)
def test_an_override_that_was_edited_by_hand_is_refused_by_name_and_the_others_apply(wrong):
    life = TradeLife(MemoryPortfolioWorld())

    strength = bought_under(life, [GOOD, GOOD | {"override_id": 42} | wrong])

    assert strength == 1.5
    (said,) = life.ticks[-1].portfolio.overrides_ignored
    assert said.startswith("override 42 ignored: ")


@pytest.mark.postgres
@pytest.mark.parametrize("wrong", BY_HAND.values(), ids=BY_HAND)
def test_a_database_whose_walls_were_taken_down_is_still_refused_by_the_tick(module_database, wrong):
    world = PostgresPortfolioWorld()
    world.empty()
    with connect(DatabaseRole.OWNER) as connection:
        found = connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'learning.pm_overrides'::regclass"
            " AND contype IN ('c', 'u')"
        ).fetchall()
        for (name,) in found:
            connection.execute(f'ALTER TABLE learning.pm_overrides DROP CONSTRAINT "{name}"'.encode())
    life = TradeLife(world).allow()

    strength = bought_under(life, [GOOD, GOOD | {"override_id": 42} | wrong])
    life.close()

    assert strength == 1.5
    (said,) = life.world.ticks()[-1]["overrides_ignored"]
    assert said.startswith("override 42 ignored: ")


def test_a_set_of_which_no_row_can_be_believed_changes_no_size_and_names_every_row():
    life = TradeLife(MemoryPortfolioWorld())

    strength = bought_under(life, [GOOD | {"override_id": n, "multiplier": 50.0} for n in range(3)])

    assert strength == 1.0
    assert len(life.ticks[-1].portfolio.overrides_ignored) == 3


def tuned(lever: str, multiplier: float, number: int) -> dict:
    changed = {"lever": lever, "multiplier": multiplier, "override_id": number, "lesson_id": f"lesson-{number}"}
    return GOOD | changed | {"edge_raw": None, "decay_mult": None}


def test_more_size_behind_a_tighter_gate_is_obeyed_in_both_and_both_are_shown():
    life = TradeLife(MemoryPortfolioWorld())

    strength = bought_under(life, [GOOD, tuned("ts_min_mult", 1.2, 2)])

    decision = life.orders[0].decision
    (moved,) = decision["thresholds"]
    assert (strength, moved["tuned"]) == (1.5, pytest.approx(0.72))
    assert [each["override_id"] for each in moved["strength"]["matched"]] == [2]
    assert [each["override_id"] for each in decision["learning_multipliers"]["pm_strength"]["matched"]] == [1]


def test_thresholds_move_no_further_than_their_bounds_however_much_is_learned():
    life = TradeLife(MemoryPortfolioWorld())
    life.world.make_live(7, [tuned("ts_min_mult", 0.3, 2)])
    life.watch()
    life.step("S1", buyable=True, ts_with_boost=0.44)
    assert life.orders == []
    life.step("S1", buyable=True, ts_with_boost=0.46)

    (moved,) = life.orders[0].decision["thresholds"]
    assert moved["tuned"] == 0.45


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"portfolio": {"sizing": {"default_alocation_pct": 10}}}, "default_alocation_pct"),
        ({"portfolio": {"sizing": {"entry_base_frac": 10}}}, "entry_base_frac"),
        ({"portfolio": {"sizing": {"default_allocation_pct": 1000}}}, "default_allocation_pct"),
        ({"portfolio": {"sizing": {"timeframe_splits": {"1h": 0.7, "4h": 0.1}}}}, "sum to 1"),
        ({"portfolio": {"sizing": {"trim_fracs": {"patient": 0.03, "normal": 0.5, "aggressive": 0.1}}}}, "ascend"),
        ({"paper_venue": {"fee_bps": 3000}}, "fee_bps"),
    ],
)
def test_a_configuration_that_cannot_be_right_stops_the_tick_with_its_place(config, message):
    life = TradeLife(MemoryPortfolioWorld())
    life.watch()
    life.world.configure(config)
    life.see(None)

    with pytest.raises(ConfigError, match=message):
        life.tick()
    assert life.world.ticks() == []


def test_a_configuration_that_changes_during_a_tick_counts_from_the_next_one_on(portfolio_world):
    life = TradeLife(portfolio_world).allow()
    life.watch()
    life.score = {"a": 0.9, "e": 0.9, "coverage": 9, "degraded": True}
    store = portfolio_world.store()
    life.store = MeddlingStore(store, lambda: portfolio_world.configure({"runtime": {"neutral_lever": 0.1}}))
    for _ in range(2):
        life.step("S0")
    store.close()

    first, second = life.ticks
    assert second.config_version > first.config_version
    levers = [{reading.a_used for reading in tick.scores if reading.a_used is not None} for tick in life.ticks]
    assert levers == [{0.5}, {0.1}]


def closed_life(world) -> TradeLife:
    """A trade of one entry and many trims."""
    world.configure(FREE | {"plan": {"trim_cooldown_bars": 1}})
    life = TradeLife(world).allow()
    life.enter()
    for _ in range(12):
        life.step("S2", 2.5, TRIM)
    life.step("S0", 2.2, EXIT)
    life.step("S0", 2.2)
    return life


def test_a_closure_told_a_thousand_times_is_one_strand(portfolio_world):
    life = closed_life(portfolio_world)
    told = life.world.strands()
    with life.store.snapshot() as snapshot:
        snapshot.write_strands(life.closures * 1000)
        snapshot.write_strands(life.actions)
    life.close()

    assert life.world.strands() == told


def taken_in(life: TradeLife, closure: dict | None = None) -> Intake:
    """What learning takes of all that was told, or of another closure than the one that was."""
    told = [
        StoredStrand(
            strand_id=row.strand_id,
            kind=row.kind.value,
            schema_version=row.schema_version,
            trade_id=row.trade_id,
            occurred_at=row.occurred_at,
            content=row.content if closure is None or row.kind is StrandKind.PM_ACTION else closure,
            sequence=number,
        )
        for number, row in enumerate(life.world.strands())
    ]
    actions = {row.strand_id: row for row in told if row.kind == StrandKind.PM_ACTION}
    return take_in([row for row in told if row.kind == StrandKind.POSITION_CLOSED], actions, {}, at=life.bar.timestamp)


def test_the_many_actions_of_a_trade_are_one_trade_wherever_it_is_counted():
    life = closed_life(MemoryPortfolioWorld())
    facts = taken_in(life).facts
    timeframe = mask_of([ScopeDimension.TIMEFRAME])
    cells = pattern_scope_stats(list(facts), (0, timeframe), max_abs_rr=10.0)

    trims = [stat for cell, stat in cells.items() if cell.action_category is ActionCategory.TRIM]
    assert {(stat.n_trades, stat.n_actions) for stat in trims} == {(1, 12)}
    assert len(facts) == len(life.actions)


def test_an_action_that_comes_twice_is_refused_rather_than_counted_twice():
    life = closed_life(MemoryPortfolioWorld())
    closure = life.closures[0].content
    (trade,) = closure["completed_trades"]
    twice = dict(closure, completed_trades=[dict(trade, actions=[*trade["actions"], trade["actions"][-1]])])

    assert isinstance(parse_strand("position_closed", twice), DeadLetter)
    assert taken_in(life, twice).facts == ()
    assert "each action is told once" in taken_in(life, twice).refused[0].reason


def test_an_order_that_was_rejected_is_told_and_is_no_fact_of_its_trade():
    life = TradeLife(MemoryPortfolioWorld())
    life.world.configure(FREE)
    life.enter()
    life.world.configure({"paper_venue": FREE["paper_venue"] | {"reject_frac": 1.0}})
    life.step("S2", 2.0, buyable=True)
    life.step("S2", 2.0)
    life.world.configure(FREE)
    life.step("S0", 2.0, EXIT)
    life.step("S0", 2.0)
    told = {row.strand_id: row.content["execution_result"]["status"] for row in life.actions}

    assert sorted(told.values()) == ["filled", "filled", "rejected"]
    assert [told[fact.action_id] for fact in taken_in(life).facts] == ["filled", "filled"]


def test_a_closure_that_lost_its_entry_is_a_dead_letter_and_the_others_are_told(portfolio_world):
    life = closed_life(portfolio_world)
    content = {name: value for name, value in life.closures[0].content.items() if name != "entry_context"}
    letter = parse_strand("position_closed", content)
    assert isinstance(letter, DeadLetter)
    with life.store.snapshot() as snapshot:
        snapshot.write_dead_letters([letter, letter])
    life.close()

    (stored,) = life.world.dead_letters()
    assert (stored["pointer"], stored["kind"]) == ("/entry_context", "position_closed")
    assert len(life.closures) == 1
