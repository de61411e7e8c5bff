import gc
import os
import signal
import weakref
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from pm_runtime.system_clock import StopSignal, SystemClock


@pytest.fixture
def stop():
    with closing(StopSignal()) as stop:
        yield stop


def test_the_time_is_utc_and_does_not_stand_still(stop):
    clock = SystemClock(stop)
    before = clock.now_at()
    clock.wait_until(before + timedelta(milliseconds=20))

    assert before.tzinfo is UTC
    assert clock.now_at() - before >= timedelta(milliseconds=20)


def test_an_instant_of_the_past_is_not_waited_for(stop):
    stop.wait = lambda seconds: pytest.fail(f"waited {seconds} s")

    SystemClock(stop).wait_until(datetime(2025, 1, 1, tzinfo=UTC))

    assert not stop.is_set()


def test_a_long_wait_looks_at_the_clock_again(stop):
    waits = []
    clock = SystemClock(stop)
    stop.wait = lambda seconds: waits.append(seconds) or (stop.set() if len(waits) == 3 else None)

    clock.wait_until(clock.now_at() + timedelta(hours=4))

    assert waits == [30.0] * 3


def test_waiting_is_when_garbage_is_collected_where_ticks_do_not(stop):
    class Node:
        pass

    gone = []
    gc.disable()
    try:
        node = Node()
        node.itself = node
        weakref.finalize(node, gone.append, True)
        del node
        SystemClock(stop).wait_until(datetime(2025, 1, 1, tzinfo=UTC))
    finally:
        gc.enable()

    assert gone == [True]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_to_stop_and_ends_every_wait(stop, number):
    stop.install()
    os.kill(os.getpid(), number)

    SystemClock(stop).wait_until(datetime(2999, 1, 1, tzinfo=UTC))
    stop.wait(3600)

    assert stop.is_set()


def test_closing_gives_the_signals_back():
    before = signal.getsignal(signal.SIGTERM)
    with closing(StopSignal()) as stop:
        stop.install()
        assert signal.getsignal(signal.SIGTERM) != before

    assert signal.getsignal(signal.SIGTERM) == before
