"""Running contestants, each in a process of its own, and comparing what they answer."""

import json
import math
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.environments import python_of

ROOT = Path(__file__).parents[1]
LONGEST_S = 1800
# Sums of half a million numbers, in whatever order, differ by far less; a wrong row by far more.
TOLERANCE = 1e-9

Answer = Mapping[str, Sequence[float]]


class ContestError(Exception):
    """A contestant failed, or answered otherwise than another."""


@dataclass(frozen=True)
class Way:
    """One contestant's answer to one question.

    Args:
        name: As people read it.
        program: A module of `benchmarks.contestants`, and one of its ways.
        workload: The workload's name.
        options: For the program, see `benchmarks.contestants.task`.
        repeats: How often it answers; None for at least three times, and for 1.5 seconds. The
            best counts.
    """

    name: str
    program: str
    workload: str = "plain"
    options: tuple[str, ...] = ()
    repeats: int | None = None


@dataclass(frozen=True)
class Result:
    """What a way did.

    Args:
        way: Which.
        seconds: Of each of its calls, in order.
        answer: Sums over each feature, to compare by.
        peak_bytes: The most memory that its process held; None where the system does not tell.
    """

    way: Way
    seconds: tuple[float, ...]
    answer: Answer
    peak_bytes: int | None = None

    @property
    def best(self) -> float:
        """The seconds that count."""
        return min(self.seconds)


def run(way: Way, folder: Path, data: Path) -> Result:
    """Run a way on the workload in ``folder``.

    Raises:
        NotInstalledError: Its environment cannot be made.
        ContestError: It failed.
    """
    program, kind = way.program.split()
    module = f"benchmarks.contestants.{program}"
    often = [] if way.repeats is None else ["--repeats", str(way.repeats)]
    options = [*often, *way.options]
    command = [python_of(program, data), "-m", module, kind, str(folder), *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        raise ContestError(f"{way.name}: not done after {LONGEST_S} s") from None
    if done.returncode:
        told = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        raise ContestError(f"{way.name}: {told}")
    line = json.loads(done.stdout.splitlines()[-1])
    return Result(way, tuple(line["seconds"]), line["answer"], line["peak_bytes"])


def joined(one: Result, other: Result) -> Result:
    """Return what a way did in two turns.

    Raises:
        ContestError: It answered differently.
    """
    require_same(one, other)
    peaks = [each.peak_bytes for each in (one, other) if each.peak_bytes is not None]
    return replace(one, seconds=one.seconds + other.seconds, peak_bytes=max(peaks, default=None))


def require_same(one: Result, other: Result) -> None:
    """Compare two answers, where they are of the same features.

    Raises:
        ContestError: They differ, or have no feature in common.
    """
    shared = one.answer.keys() & other.answer.keys()
    wrong = sorted(name for name in shared if not _same(one.answer[name], other.answer[name]))
    if wrong or not shared:
        found = f"differ in {wrong[0]!r}" if wrong else "have no feature in common"
        raise ContestError(f"the answers of {one.way.name} and {other.way.name} {found}")


def _same(one: Sequence[float], other: Sequence[float]) -> bool:
    """Counts must be equal; sums, and sums weighted by the row's number, nearly."""
    count = one[0]
    return count == other[0] and all(
        math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE * max(count, 1) ** power)
        for power, (a, b) in enumerate(zip(one[1:], other[1:], strict=False), start=1)
    )
