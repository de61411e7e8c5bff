"""`lowcap prune`: only what is old goes, nothing that something stands on, and twice is once."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
import pytest

from console.prune import Alive, cutoffs
from console.pruned_part import PARTS, Retained
from domain.config.retention import RetentionConfig
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.console.learned_rows import MADE, record, run_row, store, store_version
from tests.dagster_runs import dagster_in, end_runs_ago, run_day
from tests.portfolio_rows import position_row, sha256
from tests.portfolio_worlds import PostgresPortfolioWorld
from tests.stored_rows import PROVENANCE, insert_rows, stored_score, stored_state

NOW = datetime.now(UTC).replace(microsecond=0)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OLD, YOUNG = NOW - 500 * DAY, NOW - 399 * DAY
TOKEN = {"token_contract": "So1anaToken", "chain": "solana"}


def put(table: str, *rows: dict) -> None:
    with connect(DatabaseRole.OWNER) as owner:
        insert_rows(owner, table, rows)


def left(table: str, column: str = '"timestamp"') -> list:
    with connect(DatabaseRole.CONSOLE) as connection:
        return [value for (value,) in connection.execute(f"SELECT {column} FROM {table} ORDER BY 1")]


def bar(at: datetime, **values) -> dict:
    prices = dict.fromkeys(("open_usd", "high_usd", "low_usd", "close_usd"), 1.0)
    made = {key: value for key, value in PROVENANCE.items() if key != "config_version"}
    rest = {"timeframe": "1m", "timestamp": at, "volume": 1.0, "source": "a", "coverage": 1.0, "partial": False}
    return TOKEN | prices | rest | {"known_at": at, "computed_at": at} | made | values


def fact(trade: str, opened: datetime, **values) -> dict:
    when = {"opened_at": opened, "action_ts": opened, "timestamp": opened + 2 * HOUR}
    said = {"pattern_key": "pm.uptrend.S1.buy_flag", "action_category": "entry", "scope": "{}", "scope_mask": 0}
    sums = {"rr": 1.0, "rr_absent_reason": None, "roi": 0.1, "pnl_usd": 10.0, "hold_hours": 2.0}
    named = {"action_id": sha256(f"{trade} action"), "closed_strand_id": sha256(f"{trade} closed"), "trade_id": trade}
    made = {key: value for key, value in MADE.items() if key != "config_version"}
    rest = {"position_id": "p", "timeframe": "1m", "schema_version": 1}
    return TOKEN | when | said | sums | named | rest | made | values


def strand(trade: str, what: str, at: datetime) -> dict:
    kind = "position_closed" if what.startswith("closed") else "pm_action"
    named = {"strand_id": sha256(f"{trade} {what}"), "kind": kind, "trade_id": trade, "position_id": "p"}
    return TOKEN | named | {"schema_version": 1, "timeframe": "1m", "occurred_at": at, "content": "{}"}


def tick_row(at: datetime, **values) -> dict:
    counts = {"scores_fresh": 0, "scores_stale": 0, "scores_degraded": 0}
    made = {"config_version": 1, "code_version": "0", "holder": "a", "started_at": at}
    return {"timeframe": "1m", "bar_timestamp": at, "mode": "ACTIVE", "scores": "[]"} | counts | made | values


def stats_row(at: datetime) -> dict:
    counts = {
        "n_trades": 1,
        "n_actions": 1,
        "n_wins": 1,
        "sum_rr": 1.0,
        "sum_rr2": 1.0,
        "avg_rr": 1.0,
        "median_rr": 1.0,
    }
    rest = {"variance_rr": 0.0, "win_rate_frac": 1.0, "pnl_usd": 1.0, "median_hold_hours": 1.0}
    cell = {"pattern_key": "x", "action_category": "entry", "scope_mask": 0, "scope_values": "{}"}
    return {"timestamp": at, "as_of": at, "scope_values_hash": "0" * 16} | counts | rest | cell | MADE


def rows_told(facts: dict) -> dict[str, int]:
    return {part["table"]: part["rows"] for part in facts["parts"] if part["rows"]}


def test_nothing_that_is_calculated_from_may_be_kept_for_less_than_the_longest_look_back():
    for name in ("minute_days", "cell_days", "strand_days"):
        with pytest.raises(ValueError, match="greater than or equal to 400"):
            RetentionConfig(**{name: 399})


def test_ages_count_back_from_the_oldest_thing_that_is_open_but_for_dagsters():
    limits = cutoffs(RetentionConfig(), NOW, Alive("open trade", NOW - 50 * DAY))

    assert limits[Retained.MINUTE] == NOW - 450 * DAY
    assert limits[Retained.DAGSTER] == NOW - 30 * DAY


def test_every_kind_of_the_policy_has_a_part():
    assert {f"{part.kind}_days" for part in PARTS} == set(RetentionConfig.model_fields)


@pytest.mark.postgres
def test_it_deletes_only_when_it_is_told_to_be_sure(database, lowcap, lowcap_json):
    put("regime.lowcap_price_data_ohlc", bar(OLD))

    refused, dry = lowcap("prune"), lowcap_json("prune", "--dry-run")

    assert (refused.exit_code, "--dry-run" in refused.stderr) == (2, True)
    assert (dry["deleted"], rows_told(dry)) == (False, {"regime.lowcap_price_data_ohlc": 1})
    assert left("regime.lowcap_price_data_ohlc") == [OLD]


@pytest.mark.postgres
def test_old_minutes_go_and_hours_and_the_last_400_days_stay_and_twice_is_once(database, lowcap_json):
    put("regime.lowcap_price_data_ohlc", bar(OLD), bar(YOUNG), bar(OLD - HOUR, timeframe="1h"))
    put("regime.ae_score", stored_score("nano", OLD, timeframe="1m"), stored_score("nano", OLD, timeframe="1h"))
    put("regime.regime_driver_state", stored_state("BTC", "1m", OLD), stored_state("BTC", "1m", YOUNG))

    told, again = lowcap_json("prune", "--yes"), lowcap_json("prune", "--yes")

    tables = ("lowcap_price_data_ohlc", "ae_score", "regime_driver_state")
    assert rows_told(told) == {f"regime.{table}": 1 for table in tables}
    assert left("regime.lowcap_price_data_ohlc") == [OLD - HOUR, YOUNG]
    assert left("regime.ae_score", "timeframe") == ["1h"]
    assert again["rows"] == 0
    assert all(part["size_before_bytes"] > 0 for part in told["parts"])


@pytest.mark.postgres
def test_minutes_a_learned_trade_was_held_through_stay(database, lowcap_json):
    put("learning.pattern_trade_events", fact("t", OLD))
    put("regime.lowcap_price_data_ohlc", bar(OLD + HOUR), bar(OLD + 3 * DAY), bar(OLD + HOUR, token_contract="other"))
    put(
        "regime.ae_score",
        stored_score("nano", OLD - HOUR / 2, timeframe="1m"),
        stored_score("nano", OLD - 2 * HOUR, timeframe="1m"),
    )

    lowcap_json("prune", "--yes")

    assert left("regime.lowcap_price_data_ohlc") == [OLD + HOUR]
    assert left("regime.ae_score") == [OLD - HOUR / 2]


@pytest.mark.postgres
@pytest.mark.parametrize("alive", ["trade", "order", "episode", "closure"])
def test_what_anything_open_stands_on_stays(database, lowcap_json, alive):
    began = NOW - 200 * DAY
    put("regime.lowcap_price_data_ohlc", bar(OLD), bar(began - 401 * DAY))
    put("pm.pm_tick", tick_row(began - 91 * DAY), tick_row(began - 80 * DAY))
    begin(alive, began)

    told = lowcap_json("prune", "--yes")

    assert told["oldest_alive"]["since"] == began.isoformat()
    assert left("regime.lowcap_price_data_ohlc") == [OLD]
    assert left("pm.pm_tick", "bar_timestamp") == [began - 80 * DAY]


def begin(alive: str, at: datetime) -> None:
    """Let something be open since an instant."""
    position = position_row()
    PostgresPortfolioWorld().add(position)
    of_it = {"position_id": position.position_id, "timeframe": "1m", "config_version": 1, "code_version": "0"}
    if alive == "trade":
        with connect(DatabaseRole.OWNER) as owner:
            owner.execute("UPDATE pm.lowcap_positions SET current_trade_id = 't', first_fill_at = %s", (at,))
    elif alive == "order":
        said = {"action_category": "entry", "side": "buy", "pattern_key": "x", "order_usd": 1.0, "decision": "{}"}
        named = {"order_id": sha256("o"), "trade_id": "t", "bar_timestamp": at, "decided_at": at, "holder": "a"}
        put("pm.pm_order", of_it | said | named | {"status": "planned", "venue": "paper"})
    elif alive == "episode":
        said = {"episode_id": sha256("e"), "family": "pm.s1_entry", "samples": "{}", "scope": "{}"}
        put(
            "pm.pattern_episode_events",
            TOKEN | of_it | said | {"started_at": at, "outcome": "pending", "updated_at": at},
        )
    else:
        put("pm.ad_strands", strand("t", "closed", at))


@pytest.mark.postgres
def test_ticks_that_decided_or_were_learned_from_stay(database, lowcap_json):
    put("learning.pattern_trade_events", fact("t", OLD + timedelta(minutes=1)))
    put("pm.pm_tick", tick_row(OLD), tick_row(OLD + HOUR), tick_row(OLD + 2 * HOUR), tick_row(NOW - DAY))
    with connect(DatabaseRole.OWNER) as owner:
        owner.execute("UPDATE pm.pm_tick SET orders_planned = 1 WHERE bar_timestamp = %s", (OLD + HOUR,))
    put("pm.pm_tick", tick_row(OLD, timeframe="1h"))

    told = lowcap_json("prune", "--yes")

    assert rows_told(told) == {"pm.pm_tick": 1}
    assert left("pm.pm_tick", "bar_timestamp") == [OLD, OLD, OLD + HOUR, NOW - DAY]


@pytest.mark.postgres
def test_statistics_the_live_set_was_made_of_stay(database, lowcap_json):
    number = store_version(0, record("a", expires_at=NOW + DAY))
    day = OLD.replace(hour=0, minute=0, second=0)
    with connect(DatabaseRole.OWNER) as owner:
        owner.execute("UPDATE learning.override_set SET as_of = %s", (day + DAY,))
    store("live_override_set", {"set_id": number, "author": "ann", "reason": "x"})
    store("learning_run", run_row())
    store("pattern_scope_stats", *(stats_row(at) for at in (day - DAY, day, day + DAY, NOW - 10 * DAY)))

    lowcap_json("prune", "--yes")

    assert left("learning.pattern_scope_stats") == [day, NOW - 10 * DAY]


@pytest.mark.postgres
def test_events_go_only_when_named_and_never_those_a_fact_or_nothing_yet_stands_on(database, lowcap_json):
    old = NOW - 1200 * DAY
    put("learning.pattern_trade_events", fact("t", old))
    put("pm.ad_strands", *(strand("t", what, old) for what in ("action", "closed", "told of nothing")))
    put("pm.ad_strands", strand("no facts", "action", old))

    without = lowcap_json("prune", "--yes")
    named = lowcap_json("prune", "--yes", "--strands")

    assert (without["rows"], named["rows"]) == (0, 1)
    kept = sorted([sha256("t action"), sha256("t closed"), sha256("no facts action")])
    assert left("pm.ad_strands", "strand_id") == kept
    with connect(DatabaseRole.OWNER) as owner, pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("DELETE FROM pm.ad_strands")


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("minute=30", "minute_days: Input should be greater than or equal to 400, was 30"),
        ("30", "greater than or equal to 400"),
        ("candles=500", "Expected DAYS, or WHAT=DAYS of dagster, minute, tick, cell, strand"),
        ("tick=-1", "Expected DAYS"),
    ],
)
def test_an_age_below_what_is_needed_is_refused(module_database, lowcap, given, complaint):
    result = lowcap("prune", "--dry-run", "--before", given)

    assert (result.exit_code, complaint in result.stderr) == (2, True)


@pytest.mark.postgres
def test_another_age_counts_for_this_time(database, lowcap_json):
    put("regime.lowcap_price_data_ohlc", bar(OLD))

    assert rows_told(lowcap_json("prune", "--dry-run", "--before", "minute=600")) == {}
    assert rows_told(lowcap_json("prune", "--dry-run", "--before", "450"))["regime.lowcap_price_data_ohlc"] == 1


@pytest.mark.postgres
def test_dagster_forgets_its_lines_and_never_which_partitions_are_made(database, tmp_path, lowcap_json):
    key = dg.AssetKey(["toy", "table"])
    with dagster_in(tmp_path / "home") as instance:
        runs = [run_day(instance, day) for day in ("2025-01-03", "2025-01-03", "2025-01-04")]
        young = rows_told(lowcap_json("prune", "--dry-run"))
        end_runs_ago("31 days")
        told, again = lowcap_json("prune", "--yes"), lowcap_json("prune", "--yes")

        assert instance.get_materialized_partitions(key) == {"2025-01-03", "2025-01-04"}
        assert [instance.has_run(run) for run in runs] == [False, True, True]
        assert instance.get_latest_materialization_event(key).run_id == runs[2]
        lines = [len(instance.all_logs(run)) for run in runs]

    assert (young, again["rows"]) == ({}, 0)
    assert rows_told(told)["dagster.runs"] == 1
    assert lines[0] == 0
    assert 1 <= lines[1] < 5
