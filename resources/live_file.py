"""The configuration of a live market, read from a TOML file; CoinGecko's key comes from elsewhere.

A key in a file is shown by whatever shows the file. Messages name the file and its keys, and repeat no value.
"""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from resources.live_config import LiveConfig

KEY_FIELD = "coingecko_demo_key"


def read_live_config(file: Path, coingecko_key: SecretStr | None, *, key_variable: str) -> LiveConfig:
    """Read a file, and give what it declares together with the key.

    Parameters
    ----------
    key_variable : str
        Where the key comes from, for the message when it stands in the file.

    Raises
    ------
    ValueError
        If there is no such file, it is no TOML, or it does not declare a live market: the message names the file and
        each key that is wrong.
    """
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
    if KEY_FIELD in settings:
        raise ValueError(f"{file}: {KEY_FIELD} must not stand in a file: set {key_variable}")
    try:
        config = LiveConfig.model_validate(settings)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise ValueError("; ".join(f"{file}: {_key(each['loc'])}{each['msg']}" for each in problems)) from None
    return config.model_copy(update={KEY_FIELD: coingecko_key})


def _key(location: tuple[Any, ...]) -> str:
    """Key of a value, as it is reached from the head of the file; nothing for the file as a whole."""
    return f"{'.'.join(map(str, location))}: " if location else ""
