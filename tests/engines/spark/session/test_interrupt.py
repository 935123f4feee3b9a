"""Ctrl-C while Java starts is handled after the start."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from featurestore.engines.spark.session.interrupt import interrupt_at_end

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT by an id")


@pytest.fixture(autouse=True)
def python_handler() -> Iterator[None]:
    """Set Python's handler: pyspark sets its own where another test has started Spark."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press(times: int) -> None:
    for _ in range(times):
        signal.raise_signal(signal.SIGINT)


def test_the_block_runs_to_its_end_before_the_interrupt() -> None:
    steps = []

    with pytest.raises(KeyboardInterrupt), interrupt_at_end():
        press(1)
        steps.append("end")

    assert steps == ["end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_ends_the_block_at_once() -> None:
    steps = []

    with pytest.raises(KeyboardInterrupt), interrupt_at_end():
        press(2)
        steps.append("end")

    assert steps == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_and_another_handler_are_left_alone() -> None:
    numbers: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: numbers.append(number))

    with interrupt_at_end():
        press(1)
        assert numbers == []
    thread = threading.Thread(target=lambda: interrupt_at_end().__enter__())
    thread.start()
    thread.join()
    press(1)

    assert numbers == [signal.SIGINT] * 2
