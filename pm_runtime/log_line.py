"""Log lines: an event's name and its fields. A line is never the only record of a decision: that is a row."""

import logging
import sys
import time


def fields(**values: object) -> dict[str, dict[str, object]]:
    """Fields of an event, for a logger's `extra`; a handler finds them as `record.fields`.

    >>> fields(bar="1h", failed=2)
    {'fields': {'bar': '1h', 'failed': 2}}
    """
    return {"fields": values}


class FieldFormatter(logging.Formatter):
    """Time in UTC, level, event, then `name=value` for each field; a value with blanks is quoted."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%SZ")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name is logging's
        """Put the fields behind the event."""
        values = getattr(record, "fields", {})
        return " ".join([super().formatMessage(record), *(f"{name}={_shown(value)}" for name, value in values.items())])


def log_to_stderr(level: str) -> None:
    """Send the log of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def _shown(value: object) -> str:
    text = str(value)
    return repr(text) if not text or any(character.isspace() for character in text) else text
