"""Contestants run in processes of their own, and their answers are compared."""

import json
import math
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.environments import python_of

ROOT = Path(__file__).parents[1]
LONGEST_S = 1800
# Sums of half a million numbers in different orders differ by far less than this. A wrong row
# makes a far greater difference.
TOLERANCE = 1e-9

Answer = Mapping[str, Sequence[float]]


class ContestError(Exception):
    """A contestant failed, or its answer differs from another one."""


@dataclass(frozen=True)
class Way:
    """One way to answer a query: a program, a workload and options.

    Args:
        name: The name in tables.
        program: A module of `benchmarks.contestants`, and the name of one of its functions.
        workload: The workload's name.
        options: The program's options, see `benchmarks.contestants.task`.
        repeats: The number of calls. None for at least three calls and at least 1.5 seconds. The
            best call counts.
    """

    name: str
    program: str
    workload: str = "plain"
    options: tuple[str, ...] = ()
    repeats: int | None = None


@dataclass(frozen=True)
class Result:
    """The result of one way.

    Args:
        way: The way.
        seconds: The time of each call, in order.
        answer: Sums of each feature, to compare answers.
        peak_bytes: The peak memory of its process, or of Spark's executors. None if the system
            does not report it.
        measured: What else was measured, such as bytes that were read, by its name.
    """

    way: Way
    seconds: tuple[float, ...]
    answer: Answer
    peak_bytes: int | None = None
    measured: Mapping[str, float] = field(default_factory=dict)

    @property
    def best(self) -> float:
        """The time of the fastest call, in seconds."""
        return min(self.seconds)


def run(way: Way, folder: Path, data: Path) -> Result:
    """Run a way on the workload in ``folder``.

    Raises:
        NotInstalledError: Its environment cannot be created.
        ContestError: It failed.
    """
    program, kind = way.program.split()
    module = f"benchmarks.contestants.{program}"
    repeats = [] if way.repeats is None else ["--repeats", str(way.repeats)]
    options = [*repeats, *way.options]
    command = [python_of(program, data), "-m", module, kind, str(folder), *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        raise ContestError(f"{way.name}: not finished after {LONGEST_S} s") from None
    if done.returncode:
        problem = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        raise ContestError(f"{way.name}: {problem}")
    line = json.loads(done.stdout.splitlines()[-1])
    seconds = tuple(line["seconds"])
    return Result(way, seconds, line["answer"], line["peak_bytes"], line.get("measured", {}))


def joined(one: Result, other: Result) -> Result:
    """Return the results of two turns of one way as one result.

    Raises:
        ContestError: The answers differ.
    """
    require_same(one, other)
    peaks = [each.peak_bytes for each in (one, other) if each.peak_bytes is not None]
    return replace(one, seconds=one.seconds + other.seconds, peak_bytes=max(peaks, default=None))


def require_same(one: Result, other: Result) -> None:
    """Compare the features that two answers have in common.

    Raises:
        ContestError: They differ, or have no feature in common.
    """
    shared = one.answer.keys() & other.answer.keys()
    wrong = sorted(name for name in shared if not _same(one.answer[name], other.answer[name]))
    if wrong or not shared:
        problem = f"differ in {wrong[0]!r}" if wrong else "have no feature in common"
        raise ContestError(f"the answers of {one.way.name} and {other.way.name} {problem}")


def _same(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether counts are equal, and sums and sums weighted by row number nearly equal."""
    count = one[0]
    return count == other[0] and all(
        math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE * max(count, 1) ** power)
        for power, (a, b) in enumerate(zip(one[1:], other[1:], strict=False), start=1)
    )
