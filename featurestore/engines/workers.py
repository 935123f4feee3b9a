"""The threads that answer, kept from one question to the next.

The C library gives each new thread memory of its own and keeps it: ten questions with new threads
each came to a gigabyte, and waited for the system to find it.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

ResultT = TypeVar("ResultT")


def run_all(tasks: Iterable[Callable[[], ResultT]], threads: int) -> list[ResultT]:
    """Return what all tasks return, in their order.

    When it returns or raises, no task is running any more.

    Args:
        tasks: What to call.
        threads: How many tasks run at once, at most.

    Raises:
        Exception: The first that a task raises; tasks that have not begun then never do.

    Example:
        >>> run_all([lambda: 1, lambda: 2], threads=2)
        [1, 2]
    """
    work: list[Future[ResultT]] = []
    try:
        work.extend(_pool(os.getpid(), threads).submit(task) for task in tasks)
        return [done.result() for done in work]
    finally:
        wait([each for each in work if not each.cancel()])


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """Return the threads of a process: a fork has its parent's object, but not its threads."""
    return ThreadPoolExecutor(threads, thread_name_prefix="featurestore")
