"""A loop in simulated time, over a database that can be away for a while."""

from datetime import timedelta

from pm_runtime.loop import RuntimeLoop
from pm_runtime.settings import RuntimeSettings
from tests.runtime_worlds import START, MemoryWorld
from tests.simulated_time import SimulatedClock

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
GRACE = 5 * SECOND


class OutageError(ConnectionError):
    """What a store raises whose database is away."""


class World(MemoryWorld):
    """A database whose time is the loop's, which can be away for a while, and whose ticks can take long."""

    def __init__(self, *, hours):
        self.clock = SimulatedClock(START + GRACE, ends_at=START + timedelta(hours=hours) + GRACE)
        super().__init__()
        self.database.now_at = self.clock.now_at
        self.away = (START, START)
        self.openings = 0

    def open(self, holder="me:1:now"):
        self.openings += 1
        self.refuse_when_away()
        return Store(self, super().store(holder))

    def refuse_when_away(self):
        if self.away[0] <= self.clock.now < self.away[1]:
            raise OutageError("the database is away")

    def loop(self, **settings):
        return RuntimeLoop(
            self.open, clock=self.clock, stop=self.clock, settings=RuntimeSettings(**{"grace_s": 5, **settings})
        )

    def run(self, **settings):
        return self.loop(**settings).run()

    def bars(self, timeframe="1h"):
        return [row["bar_timestamp"] for row in self.ticks() if row["timeframe"] == timeframe]


class Store:
    """A session that breaks for good when the database is away."""

    def __init__(self, world, inner):
        self.world, self.inner, self.holder = world, inner, inner.holder
        self.close, self.is_usable = inner.close, inner.is_usable

    def take_lease(self):
        return self.inner.take_lease()

    def settle_alarms(self, looks):
        return self.inner.settle_alarms(looks)

    def snapshot(self):
        try:
            self.world.refuse_when_away()
        except OutageError:
            self.inner.close()
            raise
        return self.inner.snapshot()
