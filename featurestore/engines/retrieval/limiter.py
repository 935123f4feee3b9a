"""`Limiter`: a number of bytes that threads share."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Limiter:
    """The memory that all running chunks share. A thread reserves bytes before it uses them.

    Args:
        size: In bytes; None for no limit.

    Example:
        >>> limiter = Limiter(100)
        >>> with limiter.reserved(60):
        ...     limiter.fits(100), limiter.fits(101)
        (True, False)
    """

    def __init__(self, size: int | None = None) -> None:
        self.size = size
        self._reserved = 0
        self._changed = Condition()

    def fits(self, size: int) -> bool:
        """Return whether a reservation of this size ever succeeds, after any wait."""
        return self.size is None or size <= self.size

    @contextmanager
    def reserved(self, size: int) -> Iterator[None]:
        """Block until enough bytes are free, and reserve them for the ``with`` block.

        Do not nest it: two threads would deadlock, if each holds a part and waits for more.

        Args:
            size: In bytes. It must fit (`fits`).
        """
        with self._changed:
            self._changed.wait_for(lambda: self.size is None or self._reserved + size <= self.size)
            self._reserved += size
        try:
            yield
        finally:
            with self._changed:
                self._reserved -= size
                self._changed.notify_all()
