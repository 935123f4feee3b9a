"""`Room`: memory that threads share, as a number of bytes that they take and give back."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Room:
    """So many bytes for all that is in work at a time.

    Who takes more than is free waits until others have given back. No one may take twice at a
    time: two who each hold a part and wait for more would wait for ever.

    Args:
        size: In bytes; None for no limit.

    Example:
        >>> room = Room(100)
        >>> with room.taken(60):
        ...     room.free
        40
    """

    def __init__(self, size: int | None = None) -> None:
        self.size = size
        self._taken = 0
        self._changed = Condition()

    @property
    def free(self) -> int | None:
        """How many bytes nobody has taken; None for no limit."""
        return None if self.size is None else self.size - self._taken

    def fits(self, size: int) -> bool:
        """Return whether so many bytes can be taken, if one waits for long enough."""
        return self.size is None or size <= self.size

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Take bytes that fit, as soon as they are free, and give them back at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self.size is None or self._taken + size <= self.size)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()
