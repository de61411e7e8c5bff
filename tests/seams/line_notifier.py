"""A stranger's notifier: a line a message in a file. Uses public names only.

LOWCAP_NOTIFIER=line_notifier:open_lines LINES_FILE=/var/log/lowcap.jsonl
"""

import json
import os
from pathlib import Path

from resources.notifier import Message, NotTakenError


class LineNotifier:
    """Appends JSON lines; a key that stands in the file already is not written twice."""

    name = "lines"

    def __init__(self, file: Path) -> None:
        self._file = file

    def send(self, message: Message) -> str:
        try:
            if self._file.exists() and message.key in self._keys():
                return "known"
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"key": message.key, "kind": message.kind, **json.loads(message.body)}) + "\n")
        except OSError as error:
            raise NotTakenError(type(error).__name__) from error
        return "written"

    def _keys(self) -> set[str]:
        return {json.loads(line)["key"] for line in self._file.read_text(encoding="utf-8").splitlines()}


def open_lines() -> LineNotifier:
    """What LOWCAP_NOTIFIER names."""
    return LineNotifier(Path(os.environ["LINES_FILE"]))
