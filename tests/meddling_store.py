"""A session during whose next tick somebody else writes: after the tick has begun to read, before it writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pm_runtime.ports import RuntimeStore, Snapshot


class MeddlingStore:
    """A store as it is, but for `meddle`, which is called inside the first snapshots, as often as is asked for."""

    def __init__(self, store: RuntimeStore, meddle: Callable[[], object], *, times: int = 1) -> None:
        self._store = store
        self._meddle = meddle
        self._left = times
        self.holder = store.holder

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with self._store.snapshot() as snapshot:
            if self._left:
                self._left -= 1
                self._meddle()
            yield snapshot
