"""Where an embedded Postgres keeps its files, and as which OS user its processes run.

Postgres refuses to run as root, so for a root caller the programs run as `nobody`, or as whoever already owns the
data folder. No user is created, no permission of a folder above is changed: where the server's user cannot enter the
wanted folder, another one is taken and the location says so.
"""

import hashlib
import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

SERVER_USER_OF_ROOT = "nobody"
SYSTEM_STATE_DIR = Path("/var/lib/lowcap")
SHORT_DIR = Path("/tmp")
"""Short, present everywhere, open to everybody: owner and mode of what lies in it are checked before use."""
LONGEST_SOCKET_DIR = 85
"""Bytes. The kernel's limit for a socket's whole path is 104 (macOS) or 108 (Linux), its file name takes 18."""


OWN_NAMES = frozenset({"data", "data.partial", "socket", "server.log", "server.log.1", "start.lock"})
"""All that ever lies in the root: a folder with anything else in it is somebody's, and is not taken over."""


class PostgresLocationError(RuntimeError):
    """No folder can be used for the data or the socket."""


class SubprocessUser(TypedDict, total=False):
    """The user arguments of `subprocess.run`."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class PostgresLocation:
    """Resolved folders and user of one embedded server."""

    root: Path
    socket_dir: Path
    server_uid: int
    server_gid: int
    note: str
    """Why this is not the folder that was asked for; empty when it is."""

    @property
    def data_dir(self) -> Path:
        """The cluster's data folder."""
        return self.root / "data"

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return self.root / "server.log"

    @property
    def lock_file(self) -> Path:
        """Locked by whoever starts or stops the server."""
        return self.root / "start.lock"

    def as_server_user(self) -> SubprocessUser:
        """Arguments for `subprocess.run`, empty unless the caller is root."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.server_uid, "group": self.server_gid, "extra_groups": []}

    def lets_server_user_enter(self, folder: Path) -> bool:
        """Whether the server's user can enter `folder`, asked of the kernel (so that access lists count)."""
        if os.geteuid() != 0:
            return os.access(folder, os.X_OK)
        entered = subprocess.run(
            ["/bin/sh", "-c", 'cd -- "$1"', "sh", folder], cwd="/", stderr=subprocess.DEVNULL, **self.as_server_user()
        )
        return entered.returncode == 0


def locate(wanted_root: Path) -> PostgresLocation:
    """First usable folder among the wanted one and its fall-backs, created, with its socket folder.

    A folder that already holds this user's database is taken before any other: once made, a database is never left for
    an empty one because a check failed for a moment. Fall-backs: `/var/lib/lowcap/<hash>` for root,
    `.local/state/lowcap/<hash>` in the home of anybody else, at last `/tmp/lowcap-<uid>-<hash>`. Each OS user ends in a
    folder of its own; nothing is shared between users.

    Raises
    ------
    PostgresLocationError
        If none can be used.
    """
    wanted_root = wanted_root.expanduser().resolve()
    roots = [wanted_root, *_fallbacks(wanted_root)]
    settled = next((root for root in roots if _holds_own_database(root)), None)
    if settled is not None:
        moved = settled != wanted_root
        return _with_socket_dir(settled, note=f"The database lies in {settled}, not {wanted_root}" if moved else "")
    refusals: list[str] = []
    for root in roots:
        try:
            return _prepare(root, note=f"The database lies in {root}: {'; '.join(refusals)}" if refusals else "")
        except (OSError, PostgresLocationError) as error:
            refusals.append(str(error))
    raise PostgresLocationError(
        f"No folder can hold the embedded Postgres ({'; '.join(refusals)}): name a server by DATABASE_URL"
    )


def path_hash(path: Path) -> str:
    """Twelve hexadecimal digits that stand for a path."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def short_dir(path: Path, uid: int) -> Path:
    """Short folder of an OS user that stands for `path`."""
    return SHORT_DIR / f"lowcap-{uid}-{path_hash(path)}"


def _fallbacks(wanted_root: Path) -> list[Path]:
    uid = os.geteuid()
    if uid == 0:
        return [SYSTEM_STATE_DIR / path_hash(wanted_root), short_dir(wanted_root, uid)]
    try:
        home = Path(pwd.getpwuid(uid).pw_dir)
    except KeyError:  # a container's arbitrary uid
        return [short_dir(wanted_root, uid)]
    return [home / ".local" / "state" / "lowcap" / path_hash(wanted_root), short_dir(wanted_root, uid)]


def _prepare(root: Path, *, note: str) -> PostgresLocation:
    uid, gid = _server_user(root)
    location = PostgresLocation(root, root / "socket", uid, gid, note)
    nearest = next(folder for folder in root.parents if folder.exists())
    if not location.lets_server_user_enter(nearest):
        raise PostgresLocationError(f"user {_user_name(uid)}, who runs the server, cannot enter {nearest}")
    _make_parents(root)
    root.mkdir(mode=0o700, exist_ok=True)
    if strangers := sorted({entry.name for entry in root.iterdir()} - OWN_NAMES):
        raise PostgresLocationError(f"{root} holds other things than a database: {', '.join(strangers[:3])}")
    _own(root, uid, gid)
    return _with_socket_dir(root, note=note)


def _holds_own_database(root: Path) -> bool:
    """Whether a database was made in `root` that this user's server may serve."""
    try:
        owner = (root / "data" / "PG_VERSION").stat().st_uid
    except OSError:
        return False
    return os.geteuid() in (0, owner)


def _with_socket_dir(root: Path, *, note: str) -> PostgresLocation:
    uid, gid = _server_user(root)
    location = PostgresLocation(root, root / "socket", uid, gid, note)
    # A comma separates hosts in an address, and cannot be escaped.
    if len(os.fsencode(location.socket_dir)) > LONGEST_SOCKET_DIR or "," in str(location.socket_dir):
        location = PostgresLocation(root, short_dir(root, uid), uid, gid, note)
    location.socket_dir.mkdir(mode=0o700, exist_ok=True)
    _own(location.socket_dir, uid, gid)
    return location


def _make_parents(root: Path) -> None:
    """Create missing folders above `root`; those made by root may be passed through, not listed, by others."""
    for folder in reversed([folder for folder in root.parents if not folder.exists()]):
        folder.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            folder.chmod(0o711)


def _server_user(root: Path) -> tuple[int, int]:
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    data_dir = root / "data"
    owner = data_dir.stat() if data_dir.exists() else None
    if owner is not None and owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    try:
        nobody = pwd.getpwnam(SERVER_USER_OF_ROOT)
    except KeyError:
        raise PostgresLocationError(
            f"Postgres does not run as root, and there is no user {SERVER_USER_OF_ROOT}"
        ) from None
    return nobody.pw_uid, nobody.pw_gid


def _own(folder: Path, uid: int, gid: int) -> None:
    """Hand a private folder to the server's user, or refuse one that somebody else put there."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise PostgresLocationError(f"{folder} is not a folder")
    if found.st_uid not in {os.geteuid(), uid}:
        raise PostgresLocationError(f"{folder} belongs to user {_user_name(found.st_uid)}")
    if found.st_uid != uid:
        os.chown(folder, uid, gid, follow_symlinks=False)
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
