"""`lowcap halt`, `resume`, `overrides`, `switch`: the next tick obeys, and nothing is set by mistake."""

import pytest

from domain.portfolio.trading_switch import effective_switch
from domain.scopes.scope import parse_scope
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.trading_switch import read_switch
from tests.console.ticked_trade import tick, watch_and_learn
from tests.portfolio_rows import position_row
from tests.portfolio_worlds import PostgresPortfolioWorld
from tests.stored_rows import insert_rows

pytestmark = pytest.mark.postgres
WHY = ("--reason", "a test", "--author", "ann")
SOLANA = ("--scope", "chain=solana")


@pytest.fixture
def world(database) -> PostgresPortfolioWorld:
    """A position on solana, watched by ann's word."""
    world = PostgresPortfolioWorld()
    world.add(position_row())
    return world


@pytest.fixture(scope="module")
def unchanged(module_database) -> PostgresPortfolioWorld:
    """The same, for tests that change nothing."""
    world = PostgresPortfolioWorld()
    world.add(position_row())
    return world


def allowed(**scope: str) -> tuple[str, bool]:
    """Mode and overrides as the runtime reads them for a scope."""
    with connect(DatabaseRole.PM, autocommit=True) as connection:
        effective = effective_switch(read_switch(connection), parse_scope(scope))
    return effective.mode.value, effective.overrides_on


def test_a_halt_is_read_by_the_runtime_and_taken_back_by_resume(world, lowcap):
    halted = lowcap("halt", *WHY)
    during = allowed(chain="solana")
    resumed = lowcap("resume", *WHY)

    assert (halted.exit_code, resumed.exit_code) == (0, 0)
    assert "everywhere now: HALTED everywhere, set by ann: a test" in halted.stdout
    assert (during, allowed(chain="solana")) == (("HALTED", True), ("ACTIVE", True))


def test_a_halt_in_a_scope_leaves_the_others(world, lowcap_json):
    done = lowcap_json("halt", "--mode", "reduce_only", *SOLANA, "--scope", "timeframe=1h", *WHY)

    assert done["set"]["scope"] == '{"chain":"solana","timeframe":"1h"}'
    assert done["effective"]["mode"] == "REDUCE_ONLY"
    assert allowed(chain="solana", timeframe="1h") == ("REDUCE_ONLY", True)
    assert allowed(chain="solana", timeframe="4h") == ("ACTIVE", True)


def test_a_resume_in_a_scope_says_that_everything_is_halted_still(world, lowcap):
    lowcap("halt", *SOLANA, *WHY)
    lowcap("halt", *WHY)

    resumed = lowcap("resume", *SOLANA, *WHY)

    assert "chain=solana now: HALTED everywhere, set by ann" in resumed.stdout
    assert allowed(chain="solana") == ("HALTED", True)


def test_a_resume_where_no_halt_was_set_is_refused_with_where_there_is_one(world, lowcap):
    lowcap("halt", *SOLANA, *WHY)

    refused = lowcap("resume", "--scope", "timeframe=1h", *WHY)

    assert refused.exit_code == 2
    assert refused.stderr == "No halt was set for timeframe=1h; there are: chain=solana (HALTED)\n"


def test_a_resume_of_everything_restores_a_switch_nobody_can_read(world, lowcap):
    with connect(DatabaseRole.OWNER) as owner:
        row = {"scope": '{"chian": "x"}', "mode": "HALTED", "author": "x", "reason": "x"}
        insert_rows(owner, "pm.trading_switch", [row])
    broken, shown = allowed(), lowcap("switch")

    assert broken == ("HALTED", False)
    assert "cannot be read" in shown.stdout
    assert lowcap("resume", *WHY).exit_code == 0
    assert allowed() == ("ACTIVE", True)


def test_overrides_are_switched_without_touching_the_mode(world, lowcap, lowcap_json):
    off = lowcap_json("overrides", "off", *SOLANA, *WHY)

    assert (off["set"]["mode"], off["effective"]["overrides_on"]) == (None, False)
    assert (allowed(chain="solana"), allowed(chain="base")) == (("ACTIVE", False), ("ACTIVE", True))
    assert "overrides on. The next tick obeys." in lowcap("overrides", "on", *SOLANA, *WHY).stdout
    assert allowed(chain="solana") == ("ACTIVE", True)


def test_the_switch_tells_what_holds_everywhere_and_in_each_scope_and_who_set_it(world, lowcap, lowcap_json):
    lowcap("halt", "--mode", "REDUCE_ONLY", *SOLANA, *WHY)
    lowcap("halt", "--scope", "mcap_bucket=nano", *WHY)
    lowcap("overrides", "off", *WHY)

    shown = lowcap_json("switch")

    assert (shown["everywhere"]["mode"], shown["everywhere"]["overrides_on"]) == ("ACTIVE", False)
    assert [(each["scope"], each["mode"]) for each in shown["scopes"]] == [
        ({"chain": "solana"}, "REDUCE_ONLY"),
        ({"mcap_bucket": "nano"}, "HALTED"),
    ]
    assert [row["author"] for row in shown["history"]] == ["ann", "ann", "ann", "migration"]
    assert len(lowcap_json("switch", "--most", "2")["history"]) == 2
    printed = lowcap("switch").stdout
    assert "chain=solana" in printed
    assert printed.startswith("ACTIVE everywhere, set by migration: defaults; overrides off, set by ann: a test")


@pytest.mark.parametrize("command", [("halt",), ("overrides", "off"), ("resume",)])
@pytest.mark.parametrize(
    ("scope", "complaint"),
    [
        ("chian=solana", "No dimension 'chian'; did you mean 'chain'?"),
        ("a_mode=patient", "did you mean 'A_mode'?"),
        ("zzz=1", "No dimension 'zzz'; there are curator, chain"),
        ("timeframe=2h", "did you mean"),
        ("mcap_bucket=nono", "did you mean 'nano'?"),
        ("chain", "Expected DIMENSION=VALUE"),
        ("chain=unknown", "says that nothing is known"),
    ],
)
def test_a_scope_that_is_none_is_refused_with_what_may_be_meant(
    unchanged, lowcap, lowcap_json, command, scope, complaint
):
    result = lowcap(*command, "--scope", scope, *WHY)

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert len(lowcap_json("switch")["history"]) == 1


def test_a_dimension_given_twice_is_refused(unchanged, lowcap):
    assert "given twice" in lowcap("halt", *SOLANA, "--scope", "chain=base", *WHY).stderr


@pytest.mark.parametrize(
    ("scope", "complaint"),
    [
        ("chain=solanna", "there are solana; did you mean 'solana'?"),
        ("curator=bob", "there are ann"),
        ("intent=moon", "none of them has one yet"),
    ],
)
def test_a_name_that_no_position_has_halts_nothing_and_is_refused(world, lowcap, scope, complaint):
    refused = lowcap("halt", "--scope", scope, *WHY)
    ahead = lowcap("halt", "--scope", scope, *WHY, "--ahead")

    assert (refused.exit_code, complaint in refused.stderr) == (2, True)
    assert ahead.exit_code == 0


@pytest.mark.parametrize("reason", [(), ("--reason", " ")])
def test_a_switch_needs_a_reason(unchanged, lowcap, reason):
    assert lowcap("halt", *reason).exit_code == 2
    assert allowed() == ("ACTIVE", True)


def test_the_next_tick_obeys_a_halt_and_still_leaves_what_is_held(database, lowcap):
    world = PostgresPortfolioWorld()
    watch_and_learn(world)
    tick(world, 0, 1)

    lowcap("halt", "--mode", "HALTED", "--scope", "mcap_bucket=nano", *WHY)
    tick(world, 2, 3, 4)

    with connect(DatabaseRole.CONSOLE) as connection:
        orders = connection.execute("SELECT action_category FROM pm.pm_order ORDER BY bar_timestamp").fetchall()
    assert [category for (category,) in orders] == ["entry", "exit"]
