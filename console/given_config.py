"""A configuration a person gives to be looked at: a file of overrides, or keys laid over those in force."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console.session import RefusedError

LARGEST_FILE_BYTES = 1_000_000


def read_overrides(path: Path) -> dict[str, Any]:
    """Read the overrides of a file, nested as the configuration: TOML where it ends in .toml, else JSON.

    Raises
    ------
    RefusedError
        If there is no such file, or it holds no such object.
    """
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise RefusedError(f"{path} is larger than {LARGEST_FILE_BYTES:,} bytes: no configuration is")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"{path} cannot be read: {error}") from None
    try:
        given = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{path} is no {'TOML' if path.suffix == '.toml' else 'JSON'}: {error}") from None
    if not isinstance(given, Mapping):
        raise RefusedError(f"{path}: expected an object of sections, was {type(given).__name__}")
    return dict(given)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a value of any key")
