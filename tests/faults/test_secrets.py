"""Secrets in every setting that takes one: after runs and crashes they stand nowhere but in the environment."""

import contextlib
import io
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from learning_assets.__main__ import main as learning
from regime_assets.__main__ import main as chain
from sql.database import DatabaseConnectionError, connect
from sql.database_role import ROLE_LIMITS, DatabaseRole
from tests.learned_world import FIRST, season, tell_trades
from tests.loopback_api import Asked, LoopbackApi, Reply, serving

pytestmark = pytest.mark.postgres

PROJECT = Path(__file__).resolve().parents[2]
SECRETS = {
    name: f"fixture-{name}-7f3a9c"
    for name in ("database", "regime", "learning", "pm", "console", "coingecko", "llm", "webhook", "signature")
}
DAY = "2025-01-09"
CLOCK = {"LOWCAP_DEPLOYMENT": "test", "LOWCAP_AS_OF": "2025-01-16T00:00:00+00:00", "LOWCAP_CANDLES": ""}


def with_password(url: str, name: str) -> str:
    """The same address with a password, which the embedded server does not ask for."""
    scheme, _, rest = url.partition("://")
    login, _, place = rest.partition("@")
    return f"{scheme}://{login.partition(':')[0]}:{SECRETS[name]}@{place}"


@dataclass
class Ran:
    """What was done with secrets in the environment, and all it wrote to a terminal."""

    api: LoopbackApi
    folders: list[Path]
    begun_at: float = field(default_factory=time.time)
    statuses: dict[str, object] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def keep(self, name: str, done: Callable[[], object]) -> None:
        """Do something; a database that is away is kept as its traceback."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                self.statuses[name] = done()
            except DatabaseConnectionError as error:
                self.statuses[name] = type(error)
                traceback.print_exc(file=said)
        self.told.append(said.getvalue())

    def lowcap(self, *arguments: str) -> int:
        result = CliRunner().invoke(app, arguments)
        self.told += [result.output, repr(result.exception)]
        return result.exit_code

    def process(self, *arguments: str) -> int:
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60
        )
        self.told += [done.stdout, done.stderr]
        return done.returncode


def echo(asked: Asked) -> Reply:
    """A service that refuses, and repeats whatever it was sent."""
    return Reply({"error": f"refused: {asked.path} {asked.query} {asked.headers}"}, 401)


@pytest.fixture(scope="module")
def ran(module_database, tmp_path_factory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("secrets")
    with pytest.MonkeyPatch.context() as patch, serving(echo) as api:
        for variable, name in {"DATABASE_URL": "database", **roles()}.items():
            if os.environ.get(variable):
                patch.setenv(variable, with_password(os.environ[variable], name))
        for variable, value in (CLOCK | services(api, folder)).items():
            patch.setenv(variable, value)
        done = Ran(api, [folder / "state", PROJECT / ".lowcap" / "dagster"])
        with pytest.MonkeyPatch.context() as broken:
            work(done, broken, folder, api)
        yield done


def roles() -> dict[str, str]:
    return {f"DATABASE_URL_{role.name}": role.name.lower() for role in ROLE_LIMITS}


def services(api: LoopbackApi, folder: Path) -> dict[str, str]:
    return {
        "LOWCAP_STATE": str(folder / "state"),
        "LOWCAP_COINGECKO_KEY": SECRETS["coingecko"],
        "LOWCAP_LLM_URL": api.url,
        "LOWCAP_LLM_MODEL": "small-1",
        "LOWCAP_LLM_KEY": SECRETS["llm"],
        "LOWCAP_WEBHOOK_URL": f"{api.url}/hook/{SECRETS['webhook']}",
        "LOWCAP_WEBHOOK_SECRET": SECRETS["signature"],
    }


def work(done: Ran, patch: pytest.MonkeyPatch, folder: Path, api: LoopbackApi) -> None:
    """A day of the chain and of learning, a tick, the views, then everything that can be in the way."""
    done.keep("chain", lambda: chain(["backfill", "--from", DAY, "--to", DAY]))
    tell_trades(season(2))
    patch.setenv("LOWCAP_AS_OF", f"{FIRST + timedelta(days=2)}T12:00:00+00:00")
    done.keep("learning", lambda: learning(["backfill", "--from", f"{FIRST}", "--to", f"{FIRST}"]))
    done.keep("tick", lambda: done.process("pm_runtime", "--once", "--as-of", "2025-01-10T00:00:00+00:00"))
    done.keep("notify", lambda: done.process("resources.notify", "--once"))
    for command in (("doctor",), ("config", "show"), ("switch",)):
        done.keep(" ".join(command), lambda command=command: done.lowcap(*command))
    live = folder / "live.toml"
    live.write_text("\n".join(f'{name}_url = "{api.url}"' for name in ("coingecko", "hyperliquid", "binance_usd_m")))
    for variable, value in {"LOWCAP_LIVE": str(live), "LOWCAP_AS_OF": "", "LOWCAP_DEPLOYMENT": "dev"}.items():
        patch.setenv(variable, value)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    done.keep("chain of broken services", lambda: chain(["backfill", "--from", today, "--to", today]))
    for variable, name in {"DATABASE_URL": "database", **roles()}.items():
        patch.setenv(variable, with_password("postgresql://ann@127.0.0.1:1/nothing", name))
    done.keep("chain without a database", lambda: chain(["backfill", "--from", DAY, "--to", DAY]))
    done.keep("learning without a database", lambda: learning(["backfill", "--from", DAY, "--to", DAY]))
    done.keep("tick without a database", lambda: done.process("pm_runtime", "--once"))
    done.keep("view without a database", lambda: done.lowcap("config", "show"))


def found_in(text: str) -> set[str]:
    """Secrets that stand in a text, as they are or as bytes are printed."""
    return {name for name, secret in SECRETS.items() if secret in text or secret.encode().hex() in text}


def test_each_was_used_and_what_was_to_fail_did(ran):
    sent = "".join(f"{asked.path} {asked.headers}" for asked in ran.api.asked)

    assert found_in(sent) == {"coingecko", "llm", "webhook"}
    assert "X-Lowcap-Signature" in sent
    assert [ran.statuses[name] for name in ("chain", "learning", "tick", "config show", "switch")] == [0] * 5
    assert {name for name, status in ran.statuses.items() if status != 0} == {
        *("doctor", "notify", "chain of broken services", "chain without a database"),
        *("learning without a database", "tick without a database", "view without a database"),
    }


def test_no_terminal_was_told_one(ran):
    told = "".join(ran.told)

    assert "STEP_FAILURE" in told
    assert "Cannot connect to postgresql://ann:***@127.0.0.1:1/nothing" in told
    assert found_in(told) == set()


def test_no_table_holds_one_neither_the_event_log_nor_a_run(ran):
    with connect(DatabaseRole.OWNER) as owner:
        tables = owner.execute(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        rows = {table: owner.execute(f"SELECT t::text FROM {table} t".encode()).fetchall() for (table,) in tables}

    assert {table for table, stored in rows.items() if found_in("".join(row for (row,) in stored))} == set()
    assert all(rows[f"dagster.{name}"] for name in ("event_logs", "runs"))
    assert all(rows[table] for table in ("pm.notification", "learning.llm_learning", "pm.pm_tick"))
    assert any("STEP_FAILURE" in row for (row,) in rows["dagster.event_logs"])


def test_no_file_holds_one(ran):
    written = [path for folder in ran.folders for path in folder.rglob("*") if path.is_file()]
    new = [path for path in written if path.stat().st_mtime >= ran.begun_at]

    assert {path.name for path in new if found_in(path.read_text(encoding="utf-8", errors="replace"))} == set()
