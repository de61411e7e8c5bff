"""A small world for the pages: a trade, hours of a regime, what was learned, what was refused; some of it hostile."""

import json
from typing import Any

from starlette.testclient import TestClient

from console.pages.app import Door, build_app
from domain.portfolio.trading_switch import TradingMode
from domain.vocabulary.timeframe import Timeframe
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.pm_config import write_pm_config
from sql.trading_switch import set_switch
from tests.console.learned_rows import (
    DAY,
    HOURLY,
    MIDNIGHT,
    NANO,
    hypothesis_row,
    lesson_row,
    record,
    run_row,
    step,
    store,
    store_version,
)
from tests.console.pages.page_learned import make_noted, make_tuned, make_walked
from tests.console.pages.page_pictures import make_pictures
from tests.console.ticked_trade import BARS, LADDER, tick, trade_of, watch_and_learn
from tests.portfolio_rows import HOUR, START, position_row, sha256
from tests.portfolio_worlds import PostgresPortfolioWorld
from tests.regime_hours import bucket_row, composite_row
from tests.stored_rows import PROVENANCE, insert_rows, stored_state

HOSTILE = "<script>alert('1')</script>\" onmouseover=x '; DROP TABLE pm.pm_order; -- %s {{ 7 * 7 }} \u202e\x1b[31m\x9b"
ESCAPED = "&lt;script&gt;"
AS_OF = START + len(BARS) * HOUR
AS_OF_TEXT = f"{AS_OF:%Y-%m-%dT%H:%M:%S}Z"
TOKEN = "t" * 20 + "0123456789-_abcdefghij"
ORIGIN = "http://127.0.0.1:3010"


def client(door: Door | None = None, **values: Any) -> TestClient:
    """A browser of a server with this door, which does not follow redirects."""
    return TestClient(build_app(door or Door()), base_url=ORIGIN, follow_redirects=False, **values)


def make_page_world() -> None:
    """Tick the trade and store the rest."""
    world = PostgresPortfolioWorld()
    world.add(position_row("0xhostile", token_ticker=HOSTILE, timeframe=Timeframe.H4))
    watch_and_learn(world)
    tick(world, *range(len(BARS)))
    with connect(DatabaseRole.OWNER) as owner:
        for table, column in (("learning.pm_overrides", "override_id"), ("learning.override_set", "set_id")):
            owner.execute("SELECT setval(pg_get_serial_sequence(%s, %s), 100)", [table, column])
        owner.execute("UPDATE pm.lowcap_positions SET token_ticker = %s WHERE token_ticker = 'TOK'", [HOSTILE])
    make_regime()
    make_learned()
    make_tuned(HOSTILE)
    make_noted(HOSTILE)
    make_walked(trade_of())
    make_pictures(HOSTILE)
    make_refused()
    with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        set_switch(connection, author=HOSTILE, reason=HOSTILE, mode=TradingMode.REDUCE_ONLY, scope={"chain": "base"})
        changed = {"scores": {"min_coverage": 11}}
        write_pm_config(connection, changed, author="ann", reason=HOSTILE, based_on=1)


def make_regime() -> None:
    """Seven days of phases, and states of some drivers that had closed by the end of the trade."""
    hours = [AS_OF - number * HOUR for number in range(2, 150)]
    phases = ("Good", "Recover", "Dip", "Oh-Shit")
    composite = [
        composite_row(at, horizon, phases[number // 40], confidence=(number % 10) / 10)
        for number, at in enumerate(hours)
        for horizon in ("macro", "meso", "micro")
    ]
    buckets = [
        bucket_row(at, bucket, score, horizon=horizon, confidence=None if number % 50 == 0 else 0.6)
        for number, at in enumerate(hours)
        for bucket, score in LADDER.items()
        for horizon in ("macro", "meso", "micro")
    ]
    flagged = stored_state("BTC", "1h", AS_OF - HOUR, state="S3") | {"trim_flag": True}
    states = [flagged, stored_state("nano", "1h", AS_OF - HOUR, state="S1")]
    states += [stored_state("ALT", "1d", AS_OF.replace(hour=0) - DAY, state="S0"), stored_state("BTC.d", "1h", START)]
    with connect(DatabaseRole.REGIME) as connection:
        insert_rows(connection, "regime.phase_state", composite)
        insert_rows(connection, "regime.phase_state_bucket", buckets)
        insert_rows(connection, "regime.regime_driver_state", states)


def make_learned() -> None:
    """A day of lessons, one under another and one hostile, and two versions of an override with its steps."""
    store("learning_run", run_row())
    store(
        "learning_lessons",
        lesson_row("nano"),
        lesson_row("alone", {"timeframe": "4h"}, effect_rr=0.9, effect_low=0.2, effect_high=1.6),
        lesson_row("hourly", HOURLY, edge_used=-0.2, decay_state="decaying", decay_mult=0.85, half_life_hours=62.4),
        lesson_row(
            "hostile",
            scope_values=json.dumps({"curator": HOSTILE}),
            scope_values_hash="ab" * 8,
            effect_low=None,
            effect_high=None,
        ),
        lesson_row("broken", scope_values='{"curator":[1]}', scope_values_hash="cd" * 8, effect_rr=None, q_value=None),
    )
    store("lesson_hypothesis", hypothesis_row(NANO, "promoted"), hypothesis_row(HOURLY, HOSTILE, explained_by=HOSTILE))
    soon = MIDNIGHT + 400 * DAY
    watched = record("nano", "shadow", expires_at=soon)
    grown = record("nano", multiplier=1.5, expires_at=soon)
    store_version(1, watched, steps=(step(watched, "shadow", "watched", at=MIDNIGHT + DAY),))
    last = store_version(3, grown, steps=(step(grown, "live", "stood_watch", at=MIDNIGHT + 3 * DAY),))
    with connect(DatabaseRole.LEARNING) as connection:
        values = {"set_id": last, "holds": False, "author": HOSTILE, "reason": HOSTILE}
        insert_rows(connection, "learning.live_override_set", [values])


def make_refused() -> None:
    """A refused bar, a trade that waits, a dead letter and a score on few channels."""
    bar = {"quarantine_id": "ab" * 32, "table_name": "lowcap_price_data_ohlc", "token_contract": HOSTILE}
    bar |= {"chain": "solana", "timeframe": "1m", "timestamp": START, "reason": "price_jump", "detail": HOSTILE}
    bar |= {"payload": "{}", "known_at": START, "loaded_for": START, "computed_at": START}
    made = {name: value for name, value in PROVENANCE.items() if name != "config_version"}
    trade = {"strand_id": sha256("waiting"), "trade_id": sha256("t"), "timestamp": START, "status": "parked"}
    trade |= {"actions_told": 3, "actions_missing": 1, "reason": HOSTILE, "first_seen_at": START, "last_seen_at": AS_OF}
    letter = {"dead_letter_id": sha256("dead"), "kind": HOSTILE, "pointer": "/x", "reason": HOSTILE, "payload": HOSTILE}
    with connect(DatabaseRole.OWNER) as connection:
        insert_rows(connection, "regime.bar_quarantine", [bar | made])
        insert_rows(connection, "learning.trade_intake", [trade])
        insert_rows(connection, "pm.strand_dead_letter", [letter])
        connection.execute(
            'UPDATE regime.ae_score SET coverage = 9, degraded = true WHERE "timestamp" = %s', [AS_OF - HOUR]
        )


def override_of(lesson: str) -> int:
    """Number of the newest override of a lesson."""
    with connect(DatabaseRole.CONSOLE) as connection:
        found = connection.execute(
            "SELECT max(override_id) FROM learning.pm_overrides WHERE lesson_id = %s", [sha256(lesson)]
        )
        ((number,),) = found.fetchall()
    return int(number)
