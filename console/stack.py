"""`lowcap up` and `lowcap down`: Postgres, Dagster and the runtime, in the background."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from console.service import Service, ServiceError

PROJECT = Path(__file__).resolve().parents[1]
STATE = PROJECT / ".lowcap"
DAGSTER = Service("dagster", STATE / "run")
RUNTIME = Service("pm_runtime", STATE / "run")
START_PATIENCE_S = 120.0


def dagster_home() -> Path:
    """Folder Dagster's processes share; its settings are the project's dagster.yaml."""
    home = STATE / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT / "dagster.yaml", home / "dagster.yaml")
    return home


def separate_markets() -> None:
    """Give each folder of candles an embedded database of its own, beside the simulated market's.

    Nothing changes where DATABASE_URL or LOWCAP_POSTGRES_ROOT names one.
    """
    candles = os.environ.get("LOWCAP_CANDLES", "")
    if candles and not os.environ.get("DATABASE_URL") and not os.environ.get("LOWCAP_POSTGRES_ROOT"):
        name = hashlib.sha256(candles.encode()).hexdigest()[:12]
        os.environ["LOWCAP_POSTGRES_ROOT"] = str(STATE / f"candles-{name}" / "postgres")


def environment() -> dict[str, str]:
    """Environment of the processes started here: compiled bytecode, one Dagster home, events stored in batches."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "DAGSTER_HOME": str(dagster_home()), "DAGSTER_EVENT_BATCH_SIZE": "1000"}


def run(*arguments: str) -> None:
    """Run one of the product's modules in the foreground.

    Raises
    ------
    ServiceError
        If it ends with another status than 0.
    """
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=PROJECT, env=environment(), check=False)
    if done.returncode != 0:
        raise ServiceError(f"python -m {' '.join(arguments)} ended with status {done.returncode}")


def start_stack(port: int) -> str:
    """Start what does not run yet; returns the address of the Dagster UI once it answers.

    Raises
    ------
    ServiceError
        If Dagster does not answer in time.
    """
    run("sql.migrate")
    run("regime_assets", "prepare")
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    DAGSTER.start(command, cwd=PROJECT, environment=environment())
    _wait_until_it_answers(f"{url}/server_info")
    RUNTIME.start([sys.executable, "-m", "pm_runtime"], cwd=PROJECT, environment=environment())
    return url


def stop_stack() -> list[str]:
    """Stop what was started here, the embedded Postgres last; returns the names of what ran."""
    stopped = [service.name for service in (RUNTIME, DAGSTER) if service.stop()]
    for root in sorted({*STATE.glob("postgres"), *STATE.glob("*/postgres")}):
        run("sql.embedded_postgres", "stop", "--root", str(root))
    return stopped


def _wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < deadline:
        if DAGSTER.pid() is None:
            raise ServiceError(f"Dagster ended at once; its log is {DAGSTER.log_file}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise ServiceError(
        f"Dagster does not answer at {url} after {START_PATIENCE_S:.0f} s; its log is {DAGSTER.log_file}"
    )
