"""The threads that answer. They are kept between calls."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from threading import Event, Lock
from typing import Generic, TypeVar

ResultT = TypeVar("ResultT")

_SECONDS_PER_WAIT = 0.2


def run_all(tasks: Iterable[Callable[[], ResultT]], threads: int) -> list[ResultT]:
    """Return the results of all tasks, in the order of the tasks.

    When it returns or raises, no task is running any more.

    Args:
        tasks: The functions to call.
        threads: The most tasks that run at once, never more than the machine has cores.

    Raises:
        Exception: The error of the first task that fails. Tasks that have not started then never
            start.

    Example:
        >>> run_all([lambda: 1, lambda: 2], threads=2)
        [1, 2]
    """
    queue = _TaskQueue(enumerate(tasks))
    with _borrowed_pool() as pool:
        workers: list[Future[None]] = []
        try:
            for _ in range(threads):
                workers.append(pool.submit(queue.run))  # noqa: PERF401  # an interruption loses none
            wait_for_all(workers)
        finally:
            queue.stop.set()
            wait_for_all(workers)
    if queue.errors:
        # All earlier tasks have ended, so the first error is the same in each run.
        raise queue.errors[min(queue.errors)]
    for worker in workers:
        worker.result()  # raises an error of the iterable itself
    return [queue.results[number] for number in sorted(queue.results)]


def wait_for_all(futures: Collection[Future[ResultT]]) -> None:
    """Wait until all futures have ended, or the call is interrupted.

    The system may deliver a signal to a worker's thread. Then it does not wake the main thread,
    which runs Python's handler only when its wait ends: so the wait is in short turns.

    Example:
        >>> wait_for_all([])
    """
    while wait(futures, timeout=_SECONDS_PER_WAIT).not_done:
        pass


class _TaskQueue(Generic[ResultT]):
    """Numbered tasks, and the result or the error of each.

    Args:
        tasks: The tasks with their numbers.
    """

    def __init__(self, tasks: Iterator[tuple[int, Callable[[], ResultT]]]) -> None:
        self._tasks, self._lock, self.stop = tasks, Lock(), Event()
        self.results: dict[int, ResultT] = {}
        self.errors: dict[int, BaseException] = {}

    def run(self) -> None:
        """Run the next task, until no task is left or one has failed."""
        while not self.stop.is_set():
            with self._lock:
                number, task = next(self._tasks, (0, None))
            if task is None:
                return
            try:
                self.results[number] = task()
            except BaseException as error:
                self.errors[number] = error
                self.stop.set()
                raise


@contextmanager
def _borrowed_pool() -> Iterator[ThreadPoolExecutor]:
    """Yield a pool that no other call uses, so that a small call never waits for a large one."""
    # PERF: the C library gives memory of its own to each new thread and keeps it. Ten calls needed
    # 1.0 GB with new threads, and 0.58 GB with kept ones (ADR 11).
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
    """Return a process's idle pools. A fork has its parent's objects, but not their threads."""
    return []
