"""Threads that are kept between calls: order, errors, and forks."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from featurestore.engines.retrieval.threads import run_all

FORKED = """
import os
from featurestore.engines.retrieval.threads import run_all

run_all([lambda: 1], 2)
child = os.fork()
if not child:
    os._exit(run_all([lambda: 40, lambda: 2], 2)[1])
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_results_come_in_the_order_of_the_tasks() -> None:
    assert run_all((lambda n=n: n * n for n in range(50)), 2) == [n * n for n in range(50)]


def test_the_same_threads_run_later_calls() -> None:
    used = {name for _ in range(5) for name in run_all([_thread_name] * 20, 3)}

    assert len(used) <= (os.cpu_count() or 1)
    assert all(name.startswith("featurestore") for name in used)


def test_no_more_tasks_run_at_once_than_are_allowed() -> None:
    running, seen = [], []

    def task() -> None:
        running.append(1)
        seen.append(len(running))
        time.sleep(0.001)
        running.pop()

    run_all([task] * 20, 1)

    assert seen == [1] * 20


def test_of_several_errors_the_first_task_s_is_raised() -> None:
    def fail(number: int) -> None:
        time.sleep(0.02 * (number == 1))
        if number:
            raise ValueError(f"task {number}")

    for _ in range(5):
        with pytest.raises(ValueError, match="task 1"):
            run_all([lambda n=n: fail(n) for n in range(20)], 2)


def test_after_an_error_no_task_runs_and_none_starts() -> None:
    begun, ended = [], []

    def fail() -> None:
        raise ValueError("first")

    def slow() -> None:
        begun.append(1)
        time.sleep(0.01)
        ended.append(1)

    with pytest.raises(ValueError, match="first"):
        run_all([fail, *[slow] * 500], 2)
    seen = len(begun)

    assert len(ended) == seen < 500
    run_all([_thread_name] * 20, 3)
    assert len(begun) == seen


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process by its id")
def test_an_interruption_is_raised_after_the_running_tasks_have_ended() -> None:
    begun, ended = [], []

    def slow() -> None:
        begun.append(1)
        time.sleep(0.02)
        ended.append(1)

    def interrupted() -> None:
        begun.append(1)
        time.sleep(0.1)  # until the main thread waits
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        ended.append(1)

    with pytest.raises(KeyboardInterrupt):
        run_all([interrupted, *[slow] * 500], 2)

    assert len(ended) == len(begun) < 500


def test_an_error_of_the_iterable_is_raised_after_the_running_tasks_have_ended() -> None:
    begun, ended = threading.Event(), []

    def task() -> None:
        begun.set()
        time.sleep(0.02)
        ended.append(1)

    def tasks() -> Iterator[object]:
        yield task
        begun.wait(60)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        run_all(tasks(), 2)

    assert ended == [1]


def test_a_call_does_not_wait_for_the_tasks_of_another_call() -> None:
    begun, answered = threading.Event(), threading.Event()

    def wait_for_the_other() -> bool:
        begun.set()
        return answered.wait(60)

    with ThreadPoolExecutor(1) as other:
        first = other.submit(run_all, [wait_for_the_other] * 8, 8)
        begun.wait(60)
        assert run_all([lambda: 1, lambda: 2], 2) == [1, 2]
        answered.set()

        assert first.result(60) == [True] * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks on this system")
def test_a_fork_has_threads_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED], check=True, capture_output=True, text=True, timeout=60
    )

    assert done.stdout == "2\n"


def _thread_name() -> str:
    return threading.current_thread().name
