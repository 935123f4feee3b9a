"""The threads that answer, kept from one question to the next.

The C library gives each new thread memory of its own and keeps it: ten questions with new threads
each came to a gigabyte, and waited for the system to find it.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from threading import Event, Lock
from typing import Generic, TypeVar

ResultT = TypeVar("ResultT")


def run_all(tasks: Iterable[Callable[[], ResultT]], threads: int) -> list[ResultT]:
    """Return what all tasks return, in their order.

    When it returns or raises, no task is running any more.

    Args:
        tasks: What to call.
        threads: How many tasks run at once, at most; never more than there are cores.

    Raises:
        Exception: That of the first task that fails; tasks that have not begun then never do.

    Example:
        >>> run_all([lambda: 1, lambda: 2], threads=2)
        [1, 2]
    """
    work = _Work(enumerate(tasks))
    with _lent_pool() as pool:
        at_work = [pool.submit(work.on) for _ in range(threads)]
        try:
            wait(at_work)
        finally:
            work.stop.set()
            wait(at_work)
    if work.errors:
        # All tasks before it have ended, so that it is the same one each time.
        raise work.errors[min(work.errors)]
    for each in at_work:
        each.result()  # the iterable's own error
    return [work.found[number] for number in sorted(work.found)]


class _Work(Generic[ResultT]):
    """Numbered tasks, and what came of them."""

    def __init__(self, left: Iterator[tuple[int, Callable[[], ResultT]]]) -> None:
        self._left, self._turn, self.stop = left, Lock(), Event()
        self.found: dict[int, ResultT] = {}
        self.errors: dict[int, BaseException] = {}

    def on(self) -> None:
        """Take the next task, until none is left or one has failed."""
        while not self.stop.is_set():
            with self._turn:
                number, task = next(self._left, (0, None))
            if task is None:
                return
            try:
                self.found[number] = task()
            except BaseException as error:
                self.errors[number] = error
                self.stop.set()
                raise


@contextmanager
def _lent_pool() -> Iterator[ThreadPoolExecutor]:
    """Lend threads that no other question uses: a small one never waits for a large one."""
    idle = _idle_pools(os.getpid())
    try:
        pool = idle.pop()
    except IndexError:
        pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="featurestore")
    try:
        yield pool
    finally:
        idle.append(pool)


@cache
def _idle_pools(process: int) -> list[ThreadPoolExecutor]:
    """Return the pools of a process: a fork has its parent's objects, but not their threads."""
    return []
