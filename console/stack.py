"""The product's programs in the background, Postgres, Dagster and the runtime, and the folder of their state."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from console.demo_market import START_VARIABLE, begun_market
from console.service import Service, ServiceError

PROJECT = Path(__file__).resolve().parents[1]
STATE = PROJECT / ".lowcap"
START_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Stack:
    """The programs whose pid files, logs and Dagster home lie in `folder`."""

    folder: Path = STATE

    @property
    def dagster(self) -> Service:
        """Dagster's code servers, daemon and UI."""
        return Service("dagster", self.folder / "run")

    @property
    def runtime(self) -> Service:
        """The process that ticks."""
        return Service("pm_runtime", self.folder / "run")

    @property
    def pages(self) -> Service:
        """The server of the pages and the API."""
        return Service("pages", self.folder / "run")

    def environment(self) -> dict[str, str]:
        """Environment of the processes started here: compiled bytecode, one Dagster home, events stored in batches."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        begun = begun_market(self.folder)
        if begun is not None:
            kept.setdefault(START_VARIABLE, begun.start.isoformat())
        return {**kept, "DAGSTER_HOME": str(self._dagster_home()), "DAGSTER_EVENT_BATCH_SIZE": "1000"}

    def run(self, *arguments: str) -> None:
        """Run one of the product's modules in the foreground.

        Raises
        ------
        ServiceError
            If it ends with another status than 0.
        """
        status = self.status_of(*arguments)
        if status != 0:
            raise ServiceError(f"python -m {' '.join(arguments)} ended with status {status}")

    def status_of(self, *arguments: str) -> int:
        """Run one of the product's modules in the foreground; returns its exit status."""
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(command, cwd=PROJECT, env=self.environment(), check=False).returncode

    def start_dagster(self, port: int) -> str:
        """Start Dagster unless it runs; returns the address of its UI once it answers.

        Raises
        ------
        ServiceError
            If it runs on another port already, another process has this one, or it does not answer in time.
        """
        command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
        running = self.dagster.running_command()
        if running is None:
            self.dagster.stop()  # what a killed one left behind holds the port
            _refuse_taken(port)
        elif running[-1] != str(port):
            raise ServiceError(f"Dagster runs on port {running[-1]} already: end it by `make down` first")
        self.run("sql.migrate")
        self.run("regime_assets", "prepare")
        self.run("learning_assets", "prepare")
        url = f"http://127.0.0.1:{port}"
        self.dagster.start(command, cwd=PROJECT, environment=self.environment())
        _wait_until_it_answers(self.dagster, f"{url}/server_info")
        return url

    def start(self, port: int) -> str:
        """Start what does not run yet; returns the address of the Dagster UI. Raises as `start_dagster`."""
        url = self.start_dagster(port)
        self.runtime.start([sys.executable, "-m", "pm_runtime"], cwd=PROJECT, environment=self.environment())
        return url

    def start_pages(self, port: int) -> str:
        """Start the pages unless they run; returns their address once they answer.

        Raises
        ------
        ServiceError
            If they run on another port already, another process has this one, or they do not answer in time.
        """
        running = self.pages.running_command()
        if running is None:
            self.pages.stop()
            _refuse_taken(port)
        elif running[-1] != str(port):
            raise ServiceError(f"The pages run on port {running[-1]} already: end them by `make down` first")
        command = [sys.executable, "-m", "console.cli", "serve", "--port", str(port)]
        self.pages.start(command, cwd=PROJECT, environment=self.environment())
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(self.pages, f"{url}/style.css")
        return url

    def stop(self) -> list[str]:
        """Stop what was started here, the embedded Postgres last; returns the names of what ran."""
        stopped = [service.name for service in (self.pages, self.runtime, self.dagster) if service.stop()]
        if self.folder.is_dir():
            for market in (self.folder, *sorted(self.folder.glob("candles-*"))):
                self.run("sql.embedded_postgres", "stop", "--root", str(market / "postgres"))
        return stopped

    def _dagster_home(self) -> Path:
        """Folder Dagster's processes share; its settings are the project's dagster.yaml."""
        home = self.folder / "dagster"
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / "dagster.yaml", home / "dagster.yaml")
        return home


def separate_markets(folder: Path = STATE) -> None:
    """Give each source of candles that is named, and each folder of state, an embedded database of its own.

    Nothing changes where DATABASE_URL or LOWCAP_POSTGRES_ROOT names one, nor for the simulated market in the project.
    """
    if os.environ.get("DATABASE_URL") or os.environ.get("LOWCAP_POSTGRES_ROOT"):
        return
    named = (os.environ.get(name, "") for name in ("LOWCAP_CANDLES", "LOWCAP_LIVE", "LOWCAP_SOURCE"))
    if source := next(filter(None, named), ""):
        market = folder / f"candles-{hashlib.sha256(source.encode()).hexdigest()[:12]}"
        market.mkdir(parents=True, exist_ok=True)  # how `stop` knows of it, wherever the database has to be put
        os.environ["LOWCAP_POSTGRES_ROOT"] = str(market / "postgres")
    elif folder != STATE:
        os.environ["LOWCAP_POSTGRES_ROOT"] = str(folder / "postgres")


def _refuse_taken(port: int) -> None:
    """Refuse a port where somebody listens: their answer would be taken for Dagster's."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ServiceError(f"Port {port} is taken: name another one, such as `make up PORT={port + 1}`")


def _wait_until_it_answers(service: Service, url: str) -> None:
    deadline = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < deadline:
        if service.pid() is None:
            raise ServiceError(f"{service.name} ended at once; its log is {service.log_file}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise ServiceError(f"{url} does not answer after {START_PATIENCE_S:.0f} s; its log is {service.log_file}")
