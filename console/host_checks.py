"""What the doctor looks at without a database: the interpreter, the packages, the variables of the environment."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from console.finding import Finding, trouble, well, worry

OLDEST_PYTHON, FIRST_UNKNOWN_PYTHON = (3, 11), (3, 15)
LOCK_FILE = "requirements.lock"
FAMILY = "LOWCAP"
KNOWN_VARIABLES = (
    *("LOWCAP_APPRISE_URL", "LOWCAP_AS_OF", "LOWCAP_CANDLES", "LOWCAP_CANDLES_LAYOUT", "LOWCAP_COINGECKO_KEY"),
    *("LOWCAP_DAGSTER_URL", "LOWCAP_DEPLOYMENT", "LOWCAP_GROUPING", "LOWCAP_LIVE", "LOWCAP_LLM_KEY"),
    *("LOWCAP_LLM_LIMIT_FIELD", "LOWCAP_LLM_MODEL", "LOWCAP_LLM_REQUESTS_A_DAY", "LOWCAP_LLM_TIMEOUT_S"),
    *("LOWCAP_LLM_TOKENS_A_DAY", "LOWCAP_LLM_URL", "LOWCAP_NOTIFIER", "LOWCAP_PAGES_URL", "LOWCAP_POSTGRES_ROOT"),
    *("LOWCAP_SERVICE", "LOWCAP_SIMULATION_START", "LOWCAP_SOURCE", "LOWCAP_STATE", "LOWCAP_VENUE"),
    *("LOWCAP_WEBHOOK_SECRET", "LOWCAP_WEBHOOK_URL"),
)
"""Every variable the product reads; a test compares them with the page of the environment."""

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Host:
    """The machine the doctor runs on."""

    python: tuple[int, int, int]
    environment: Mapping[str, str]
    project: Path


HostCheck = Callable[[Host], Finding]


def python_version(host: Host) -> Finding:
    """Whether this Python is one the product is tested with."""
    said = ".".join(map(str, host.python))
    if OLDEST_PYTHON <= host.python[:2] < FIRST_UNKNOWN_PYTHON:
        return well("python", said)
    wanted = f"{_dotted(OLDEST_PYTHON)} or newer, below {_dotted(FIRST_UNKNOWN_PYTHON)}"
    return trouble("python", said, f"use Python {wanted}: make install PYTHON=python3.11")


def locked_packages(host: Host) -> Finding:
    """Whether the installed packages are those of the lock file."""
    lock = host.project / LOCK_FILE
    if not lock.is_file():
        return well("packages", f"no {LOCK_FILE} beside the code: nothing to compare with")
    pins = _pins(lock.read_text(encoding="utf-8"))
    wrong = [said for name, wanted in pins.items() if (said := _difference(name, wanted))]
    if not wrong:
        return well("packages", f"{len(pins)} as locked")
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return worry("packages", f"{'; '.join(wrong[:3])}{more}", "make install")


def unknown_variables(host: Host) -> Finding:
    """Whether a variable begins as ours do and is none: it was misspelled, and does nothing. No value is shown."""
    ours = sorted(name for name in host.environment if name.upper().startswith(f"{FAMILY}_"))
    unknown = [name for name in ours if name not in KNOWN_VARIABLES]
    if not unknown:
        return well("environment", f"{len(ours)} variables with {FAMILY}_, all known")
    said = "; ".join(f"{name} is none{_meant(name)}" for name in unknown)
    return worry("environment", said, "rename or unset it; all of them: docs/reference/environment.md")


def _meant(name: str) -> str:
    near = difflib.get_close_matches(name.upper(), KNOWN_VARIABLES, n=1, cutoff=0.7)
    return f", did you mean {near[0]}?" if near else ""


def _pins(text: str) -> dict[str, dict[str, bool]]:
    """Versions of each package, and whether each of them is for some machines only."""
    pins: dict[str, dict[str, bool]] = {}
    for name, wanted, rest in _PIN.findall(text):
        pins.setdefault(name, {})[wanted] = rest.strip().startswith(";")
    return pins


def _difference(name: str, wanted: Mapping[str, bool]) -> str:
    try:
        installed = version(name)
    except PackageNotFoundError:
        return "" if all(wanted.values()) else f"{name} is missing"
    return "" if installed in wanted else f"{name} {installed}, locked {' or '.join(wanted)}"


def _dotted(numbers: tuple[int, int]) -> str:
    return ".".join(map(str, numbers))
