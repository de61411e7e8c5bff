"""A replay over the rows of the real chain: twice the same bytes, stopped and taken up, apart from everybody else."""

import json
import signal
from datetime import datetime, timedelta

import psycopg
import pytest

from domain.portfolio.strict_json import canonical_json
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.replay.content_hash import UnknownTableError
from pm_runtime.replay.session import open_replay, run_session
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.json_text import stored_json
from sql.pm_config import write_pm_config
from sql.replay_schema import ReplayRefusedError
from tests import replayed_chain
from tests.domain.portfolio.override_rows import override_row
from tests.portfolio_worlds import PostgresPortfolioWorld
from tests.replayed_chain import (
    CODE,
    MID,
    NEVER,
    TO,
    StopAfter,
    bars_of,
    command,
    done,
    ended_by,
    replayed,
    result,
    rows,
    settings_of,
)
from tests.runtime_tables import differing, runtime_tables

pytestmark = pytest.mark.postgres
SHORT = MID - timedelta(days=2)


@pytest.fixture(scope="module", autouse=True)
def chain(module_database) -> None:
    replayed_chain.make_history()


@pytest.fixture(scope="module")
def reference(chain):
    """Facts of an uninterrupted replay of the whole window."""
    return done("reference")


@pytest.fixture(scope="module")
def learned(chain) -> datetime:
    """Instant within the window from which a set of overrides was live."""
    live_from = MID - timedelta(hours=24)
    everywhere = {"scope_mask": 0, "scope_values": stored_json({}), "expires_at": TO + timedelta(days=99)}
    s1 = override_row(pattern_key="pm.uptrend.S1.buy_flag", multiplier=2.0, confidence=1.0)
    PostgresPortfolioWorld().make_live(7, [{name: s1[name] for name in s1 if name != "set_id"} | everywhere])
    with connect(DatabaseRole.OWNER) as connection:
        connection.execute(
            "INSERT INTO learning.live_override_set (set_id, author, reason, set_at) VALUES (7, 'test', 'then', %s)",
            [live_from],
        )
    return live_from


def test_the_window_has_all_kinds_of_actions_and_closed_trades(reference):
    filled = {each["category"] for each in reference["orders"] if each["status"] == "filled"}

    assert filled == {"entry", "add", "trim", "exit"}
    assert reference["trades"]["trades"] >= 2


def test_twice_the_same_window_gives_the_same_hash_and_the_same_report(reference):
    again = done("again")

    assert canonical_json(result(again)) == canonical_json(result(reference))
    assert len(reference["replay"]["rows_hash"]) == 64


def test_stopped_and_taken_up_it_equals_an_uninterrupted_one(reference):
    for ticks in (1, 100, 77):
        assert replayed("stopped", stop=StopAfter(ticks)) is None

    facts = done("stopped")

    assert facts["run"]["ticks_made_now"] == reference["ticks"]["count"] - 178
    assert result(facts) == result(reference)


def test_killed_anywhere_and_taken_up_it_equals_an_uninterrupted_one(reference):
    for least in (5, 90):
        assert ended_by(signal.SIGKILL, least, "killed") == -signal.SIGKILL

    assert result(done("killed")) == result(reference)


def test_orders_planned_and_not_submitted_when_it_was_killed_are_submitted_first(reference):
    chosen = "SELECT timeframe, bar_timestamp FROM replay_reference.pm_order ORDER BY bar_timestamp, order_id OFFSET 9"
    timeframe, opened_at = rows(chosen)[0]
    planned_at = bars_of("reference").index(ExecutionBar(Timeframe(timeframe), opened_at))
    replayed("unsubmitted", stop=StopAfter(planned_at + 1))
    statement = "UPDATE replay_unsubmitted.pm_order SET status = 'planned' WHERE status = 'submitted' RETURNING 1"
    assert rows(statement, DatabaseRole.OWNER)

    assert result(done("unsubmitted")) == result(reference)


def test_a_shorter_window_decides_the_same_as_the_longer_one_up_to_its_end(reference):
    done("shorter", to_at=MID)

    decided = "SELECT order_id, decision::text FROM replay_{}.pm_order WHERE decided_at <= '{}' ORDER BY order_id"
    shorter, longer = (rows(decided.format(name, MID.isoformat())) for name in ("shorter", "reference"))
    assert shorter == longer
    assert shorter


def test_replay_equals_live():
    """Ticked bar by bar, with rows that come as they become known, the runtime writes the same bytes."""
    settings = settings_of("live", from_at=MID.replace(day=9, hour=0), to_at=MID.replace(day=13, hour=0))
    history = replayed_chain.history_of(settings)
    with replayed_chain.nothing_known_after(settings.from_at) as arrive:
        ticks = replayed_chain.tick_live(settings, history, arrive)

    with open_replay(settings, holder="me:1:now", code_version=CODE) as session:
        assert run_session(session, stop=NEVER, watch=lambda _: None).ticks == ticks
    live, again = runtime_tables(), runtime_tables("replay_live")
    assert differing(live, again) == []
    assert len(live["pm_order"]) >= 10
    texts = "SELECT decision::text FROM {0}.pm_order UNION ALL SELECT content::text FROM {0}.ad_strands ORDER BY 1"
    assert rows(texts.format("pm")) == rows(texts.format("replay_live"))


def test_nothing_outside_its_schema_is_touched():
    before, scores = runtime_tables(), rows("SELECT count(*), max(computed_at) FROM regime.ae_score")

    done("apart", from_at=SHORT, to_at=MID)

    assert differing(before, runtime_tables()) == []
    assert rows("SELECT count(*), max(computed_at) FROM regime.ae_score") == scores
    foreign = (
        "SELECT count(*) FROM pg_constraint WHERE conrelid::regclass::text LIKE 'replay_apart.%' AND contype = 'f'"
    )
    inside = foreign + " AND confrelid::regclass::text LIKE 'replay_apart.%'"
    assert rows(foreign) == rows(inside) != [(0,)]


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"to_at": MID}, "to was 2026-01-14"),
        ({"timeframes": ["1h"]}, "timeframes was"),
        ({"overrides": "live"}, "overrides was off, is live"),
    ],
)
def test_another_replay_of_the_same_name_is_refused(reference, values, complaint):
    with pytest.raises(ReplayRefusedError, match=complaint):
        replayed("reference", **values)


def test_another_code_version_is_refused_and_told_what_to_do(reference):
    opened = open_replay(settings_of("reference"), holder="me:1:now", code_version="9.9.9")

    with pytest.raises(ReplayRefusedError, match=r"code version was .*--fresh"), opened:
        pass


def test_a_changed_configuration_is_refused_until_it_begins_anew(reference):
    with connect(DatabaseRole.CONSOLE) as connection:
        former = connection.execute("SELECT config FROM pm.pm_config ORDER BY version DESC LIMIT 1").fetchone()
        write_pm_config(connection, former[0] | {"paper_venue": {"wallet_usd": 500.0}}, author="ann", reason="less")
    replayed_before = rows("SELECT count(*) FROM replay_reference.pm_tick")
    try:
        with pytest.raises(ReplayRefusedError, match=r"config version was 2, is 3.*--fresh"):
            replayed("reference")
        assert rows("SELECT count(*) FROM replay_reference.pm_tick") == replayed_before
        assert done("reconfigured", from_at=SHORT, to_at=MID)["equity"]["start_usd"] == 500.0
    finally:
        with connect(DatabaseRole.OWNER) as connection:
            connection.execute("DROP SCHEMA IF EXISTS replay_reconfigured CASCADE")
            connection.execute("DELETE FROM pm.pm_config WHERE version = 3")


def test_a_history_that_was_made_again_is_refused(reference):
    change = (
        "UPDATE regime.token_ta SET ema60 = ema60 * {} WHERE timeframe = '1h' AND timestamp = '2026-01-10' RETURNING 1"
    )
    rows(change.format(2), DatabaseRole.OWNER)
    try:
        with pytest.raises(ReplayRefusedError, match="was made again"):
            replayed("reference")
    finally:
        rows(change.format(0.5), DatabaseRole.OWNER)


def test_fresh_begins_anew_and_removes_nothing_but_a_replay():
    short = {"from_at": SHORT, "to_at": MID}
    first = done("anew", **short)
    assert first["run"]["ticks_made_now"] == done("anew", fresh=True, **short)["run"]["ticks_made_now"] > 0
    assert done("anew", **short)["run"]["ticks_made_now"] == 0
    with connect(DatabaseRole.OWNER) as connection:
        connection.execute("CREATE SCHEMA replay_somebodys")

    with pytest.raises(ReplayRefusedError, match="holds no replay"):
        replayed("somebodys", fresh=True)


def test_two_processes_do_not_write_one_replay(reference):
    with (
        open_replay(settings_of("reference"), holder="me:1:now"),
        pytest.raises(ReplayRefusedError, match="Another process"),
    ):
        replayed("reference")


def test_a_named_set_of_overrides_applies_throughout_and_a_live_one_from_its_instant(learned):
    done("named", overrides=7, from_at=SHORT)
    done("live_set", overrides="live", from_at=SHORT)

    sets = "SELECT DISTINCT decided_at >= '{}', decision ->> 'override_set_id' FROM replay_{}.pm_order ORDER BY 1"
    assert rows(sets.format(learned.isoformat(), "named")) == [(False, "7"), (True, "7")]
    assert rows(sets.format(learned.isoformat(), "live_set")) == [(False, None), (True, "7")]
    strength = "SELECT DISTINCT (decision ->> 'pm_strength_applied')::float <> 1 FROM replay_named.pm_order {}"
    assert rows(strength.format("WHERE pattern_key = 'pm.uptrend.S1.buy_flag'")) == [(True,)]


def test_what_is_learned_later_changes_no_replay_that_was_begun(learned):
    facts = done("begun", overrides="live", from_at=SHORT)
    with connect(DatabaseRole.OWNER) as connection:
        connection.execute("UPDATE learning.pm_overrides SET multiplier = 0.5")

    assert result(done("begun", overrides="live", from_at=SHORT)) == result(facts)


def test_the_report_adds_up_to_the_rows(reference):
    trades, equity, opened = reference["trades"], reference["equity"], reference["open"]
    schema = reference["replay"]["schema"]
    flow = f"SELECT sum(CASE side WHEN 'sell' THEN notional_usd ELSE -notional_usd END - fee_usd) FROM {schema}.pm_fill"
    held = f"SELECT coalesce(sum(quantity * last_price_usd), 0) FROM {schema}.lowcap_positions WHERE quantity > 0"
    told = f"""SELECT count(*), sum((content #>> '{{completed_trades,0,pnl_usd}}')::float)
               FROM {schema}.ad_strands WHERE kind = 'position_closed'"""

    assert equity["end_usd"] == pytest.approx(equity["start_usd"] + rows(flow)[0][0] + rows(held)[0][0], abs=1e-6)
    assert opened["held_usd"] == pytest.approx(rows(held)[0][0])
    assert (trades["trades"], pytest.approx(trades["pnl_usd"])) == rows(told)[0]
    assert sum(each["orders"] for each in reference["orders"]) == rows(f"SELECT count(*) FROM {schema}.pm_order")[0][0]
    for groups in ("by_timeframe", "by_bucket"):
        assert sum(each["pnl_usd"] for each in reference[groups].values()) == pytest.approx(trades["pnl_usd"])
    stored = rows(f"SELECT report::text FROM {schema}.replay_run")[0][0]
    assert json.loads(stored)["replay"]["rows_hash"] == reference["replay"]["rows_hash"]


def test_a_table_whose_rows_have_no_order_is_not_hashed_in_silence():
    done("wider", from_at=SHORT, to_at=MID)
    with connect(DatabaseRole.OWNER) as connection:
        connection.execute("CREATE TABLE replay_wider.pm_news (id bigint)")
        connection.execute("GRANT SELECT ON replay_wider.pm_news TO lowcap_pm")

    with pytest.raises(UnknownTableError, match="pm_news"):
        done("wider", from_at=SHORT, to_at=MID)


def test_the_console_may_look_at_a_replay_and_not_write_it(reference):
    with connect(DatabaseRole.CONSOLE) as console, pytest.raises(psycopg.errors.InsufficientPrivilege):
        console.execute("DELETE FROM replay_reference.pm_tick")


def test_ctrl_c_ends_it_after_the_tick_at_hand(chain):
    assert ended_by(signal.SIGINT, 5, "interrupted") == 1

    assert done("interrupted")["run"]["ticks_made_now"] <= 295


def test_the_command_prints_its_report_as_json_and_draws_the_equity(reference, tmp_path):
    printed = command("--name", "reference", "--json", "--pictures", str(tmp_path / "new"))

    assert result(json.loads(printed)) == result(reference)
    assert (tmp_path / "new" / "replay_reference.svg").read_text(encoding="utf-8").startswith("<svg")


def test_the_command_prints_its_report_for_people(reference):
    printed = command("--name", "reference")

    assert reference["replay"]["rows_hash"] in printed
    assert f"{reference['trades']['trades']} trades closed" in printed
