"""The units of deploy/systemd start what exists, with options it knows, and systemd itself finds nothing wrong."""

import importlib.util
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main
from typer.exceptions import TyperException

from console.cli import app
from pm_runtime.settings import read_command_line

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "deploy" / "systemd"
UNITS = sorted(path for path in FOLDER.iterdir() if path.suffix in {".service", ".timer", ".target"})
SERVICES = [path for path in UNITS if path.suffix == ".service"]
INSTALLED_AT = "/opt/lowcap"
HIGHEST_EXPOSURE = 20
"""As systemd-analyze counts it, in tenths: 100 is a service without any hardening."""


def settings(unit: Path, name: str) -> list[str]:
    """Values of a setting, in the order of the file."""
    return re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


def started_by(unit: Path) -> list[list[str]]:
    """Command lines of a service, split into words, with the project in place of where it is installed."""
    lines = (line for name in ("ExecStartPre", "ExecStart", "ExecStop") for line in settings(unit, name))
    return [shlex.split(line.replace(INSTALLED_AT, str(PROJECT))) for line in lines]


def parse_lowcap(words: list[str]) -> None:
    command, rest = typer.main.get_command(app), words
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context(command.name, list(rest))


def missing_of(command: list[str]) -> list[str]:
    """What a command line names that is not there; options are read by whoever would read them."""
    program, *rest = command
    if Path(program).name == "lowcap":
        parse_lowcap(rest)
    if not Path(program).name.startswith("python"):
        return [word for word in rest if word.startswith(str(PROJECT)) and not Path(word).exists()]
    module = rest[rest.index("-m") + 1]
    if module == "pm_runtime":
        read_command_line(rest[rest.index("-m") + 2 :])
    return [] if importlib.util.find_spec(module) else [module]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_starts_what_exists(unit):
    commands = started_by(unit)

    assert commands
    assert [missing for command in commands for missing in missing_of(command)] == []


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("x/lowcap brew", KeyError),
        ("x/lowcap serve --prot 3", TyperException),
        ("x/python -m pm_runtime --now", SystemExit),
    ],
)
def test_a_command_that_nobody_knows_is_found(line, refusal):
    with pytest.raises(refusal):
        missing_of(shlex.split(line))


def test_a_module_that_is_not_there_is_found():
    assert missing_of(["x/python", "-m", "teapot"]) == ["teapot"]


def test_every_variable_of_the_units_is_documented():
    page = (PROJECT / "docs/reference/environment.md").read_text(encoding="utf-8")
    named = re.findall(r"^#?([A-Z]\w+)=", (FOLDER / "lowcap.env").read_text(encoding="utf-8"), re.MULTILINE)

    assert len(named) > 5
    assert [name for name in named if f"| `{name}` |" not in page] == []


def test_the_target_starts_every_service_that_stays():
    staying = {unit.name for unit in SERVICES if settings(unit, "Restart") == ["always"]}
    wanted = " ".join(settings(FOLDER / "lowcap.target", "Wants")).split()

    assert len(staying) == 6
    assert staying <= set(wanted)
    assert all(settings(FOLDER / name, "PartOf") == ["lowcap.target"] for name in staying)


def test_a_timer_has_its_service():
    timers = [unit for unit in UNITS if unit.suffix == ".timer"]

    assert timers
    assert [unit.name for unit in timers if not unit.with_suffix(".service").exists()] == []


def test_the_workspace_names_the_ports_the_code_servers_listen_on():
    listening = {
        word
        for unit in SERVICES
        for command in started_by(unit)
        if "code-server" in command
        for word in [command[command.index("-p") + 1]]
    }

    assert set(re.findall(r"port: (\d+)", (FOLDER / "workspace.yaml").read_text(encoding="utf-8"))) == listening


@pytest.fixture
def installed(tmp_path):
    """The units as if the product were installed where this tree is."""
    shutil.copytree(FOLDER, tmp_path / "units")
    for path in (*(tmp_path / "units").glob("*.service"), tmp_path / "units/lowcap-.service.d/common.conf"):
        path.write_text(path.read_text(encoding="utf-8").replace(INSTALLED_AT, str(PROJECT)), encoding="utf-8")
    return tmp_path / "units"


needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@needs_systemd
def test_systemd_finds_nothing_wrong(installed):
    units = [str(installed / unit.name) for unit in UNITS]

    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_may_do_little(installed, unit):
    asked = ["security", "--offline=true", f"--threshold={HIGHEST_EXPOSURE}", "--no-pager", str(installed / unit.name)]

    done = subprocess.run(["systemd-analyze", *asked], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
