"""What one version of the overrides has that another has not, and what differs in both."""

from collections.abc import Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]

IDENTITY = ("lesson_id", "lever", "pattern_key", "action_category")
SAID = ("state", "multiplier", "confidence")
"""What a tick reads of an override, but for its expiry, which every run that finds the lesson again moves."""


def override_diff(before: Sequence[Facts], after: Sequence[Facts], endings: Mapping[tuple[str, str], str]) -> Facts:
    """Compare two versions.

    Parameters
    ----------
    before, after : sequence of mapping
        Overrides as JSON has them.
    endings : mapping of (str, str) to str
        Why overrides ended between the two, by lesson and lever.

    Returns
    -------
    dict
        added, retired: overrides, the latter with a `reason`, None where none is known. changed: overrides as they
        are after, with `before`, what they said then. unchanged: how many.

    >>> one = {"lesson_id": "a", "lever": "pm_strength", "pattern_key": "p", "action_category": "add", "scope": {}}
    >>> one |= {"state": "live", "multiplier": 1.2, "confidence": 0.5}
    >>> diff = override_diff([one], [one | {"multiplier": 1.3}], {})
    >>> diff["changed"][0]["before"]["multiplier"], diff["unchanged"]
    (1.2, 0)
    """
    old, new = ({_identity(each): each for each in version} for version in (before, after))
    both = [(old[key], each) for key, each in new.items() if key in old]
    changed = [
        {**now, "before": {name: then[name] for name in SAID}}
        for then, now in both
        if any(then[name] != now[name] for name in SAID)
    ]
    ended = [each for key, each in old.items() if key not in new]
    return {
        "added": [dict(each) for key, each in new.items() if key not in old],
        "changed": changed,
        "retired": [{**each, "reason": endings.get((each["lesson_id"], each["lever"]))} for each in ended],
        "unchanged": len(both) - len(changed),
    }


def _identity(each: Facts) -> tuple[str, ...]:
    scope = each["scope"]
    where = scope if isinstance(scope, str) else repr(sorted(scope.items()))
    return (*(each[name] for name in IDENTITY), where)
