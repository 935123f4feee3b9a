"""Ctrl-C while Java starts."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupt_at_end() -> Iterator[None]:
    """Handle Ctrl-C at the end of the block, or at the second Ctrl-C.

    An interrupt while pyspark waits for Java's port would leave a Java process that never ends:
    Java ends with the Python process only after it has written its port.

    Example:
        >>> with interrupt_at_end():
        ...     pass
    """
    handler = signal.getsignal(signal.SIGINT)
    # Only the main thread may set a handler, and only it is interrupted.
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    interrupts: list[FrameType | None] = []

    def delay(number: int, frame: FrameType | None) -> None:
        interrupts.append(frame)
        if len(interrupts) > 1:
            handler(number, frame)

    signal.signal(signal.SIGINT, delay)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if interrupts:
        handler(signal.SIGINT, interrupts[0])
