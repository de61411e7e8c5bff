"""What a deployment brings itself: a factory it names in a variable, as `package.module:factory`.

The runtime and the assets both name things so, and this is the lowest room both may import; it has nothing to do with
the database. Whoever sets the environment of a process runs code in it anyway: this opens nothing.
"""

import importlib
import re
from collections.abc import Callable
from typing import Any

NAME = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):(?P<factory>[A-Za-z_]\w*)")


class PluginError(ValueError):
    """What was named cannot be used; the message says which variable, and what was expected."""


def plugin_factory(name: str, *, variable: str) -> Callable[..., Any]:
    """Import the factory that a variable names.

    Parameters
    ----------
    name : str
        `package.module:factory`; the module is found as any import is, by the installed packages and PYTHONPATH.
    variable : str
        Where the name stands, for messages.

    Raises
    ------
    PluginError
        If it is no such name, the module cannot be imported, or has no such callable.

    >>> plugin_factory("collections:OrderedDict", variable="NAMED_BY")()
    OrderedDict()
    >>> plugin_factory("collections", variable="NAMED_BY")
    Traceback (most recent call last):
    sql.plugin.PluginError: NAMED_BY: expected package.module:factory, was 'collections'
    """
    parts = NAME.fullmatch(name)
    if parts is None:
        raise PluginError(f"{variable}: expected package.module:factory, was {name!r}")
    try:
        module = importlib.import_module(parts["module"])
    except ImportError as error:
        raise PluginError(
            f"{variable}: cannot import {parts['module']}: {error}. Install it into this environment, or put its folder"
            " on PYTHONPATH"
        ) from error
    factory = getattr(module, parts["factory"], None)
    if not callable(factory):
        raise PluginError(f"{variable}: {parts['module']} has no callable {parts['factory']!r}")
    return factory  # type: ignore[no-any-return]


def fulfilling(made: Any, protocol: type, *, variable: str) -> Any:
    """Return what a factory made, when it has everything the protocol names; how it behaves the contract tests ask.

    Raises
    ------
    PluginError
        If something is missing; the message lists it.
    """
    missing = [name for name in members_of(protocol) if not hasattr(made, name)]
    if missing:
        raise PluginError(
            f"{variable}: a {type(made).__name__} is no {protocol.__name__}: it lacks {', '.join(missing)}"
        )
    return made


def members_of(protocol: type) -> list[str]:
    """Names a protocol asks for, those of its bases too, in order of the alphabet."""
    known = {
        name
        for each in protocol.__mro__
        if getattr(each, "_is_protocol", False)
        for name in {**vars(each), **vars(each).get("__annotations__", {})}
    }
    return sorted(name for name in known if not name.startswith("_"))
