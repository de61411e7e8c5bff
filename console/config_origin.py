"""Where each value of a configuration comes from: a default of the code, or the version that gave it."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.config_key import flattened
from sql.pm_config import StoredConfig


def origins(versions: Sequence[StoredConfig]) -> dict[str, StoredConfig]:
    """Version that gave each override of the first of `versions` the value it has.

    Parameters
    ----------
    versions : sequence of StoredConfig
        Without a gap, newest first. Where the values are older than all of them, the oldest stands for them.

    Returns
    -------
    dict
        By dotted key; a key that is not here has the default of the code. A value that was taken back and set again
        comes from the version that set it again.
    """
    if not versions:
        return {}
    given = dict.fromkeys(flattened(versions[0].overrides), versions[0])
    open_keys = set(given)
    now = flattened(versions[0].overrides)
    for older in versions[1:]:
        then = flattened(older.overrides)
        open_keys = {key for key in open_keys if key in then and then[key] == now[key]}
        given |= dict.fromkeys(open_keys, older)
    return given


def origin_of(key: str, given: Mapping[str, StoredConfig]) -> StoredConfig | None:
    """Version a value comes from, or None for a default; a whole section may have been overridden at once."""
    return next((given[name] for name in given if key == name or key.startswith(f"{name}.")), None)


def origin_facts(origin: StoredConfig | None) -> dict[str, Any]:
    """Say for a program where a value comes from."""
    if origin is None:
        return {"from": "default"}
    made = {"author": origin.author, "reason": origin.reason, "created_at": origin.created_at.isoformat()}
    return {"from": "version", "version": origin.version} | made
