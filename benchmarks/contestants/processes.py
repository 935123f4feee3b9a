"""What the executors of a local session use: their memory, and the bytes that they read."""

import os
import re
from pathlib import Path

_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
_READ = re.compile(r"rchar: (\d+)")


class Usage:
    """What executors use between two moments: Java, which is an executor too, and its workers.

    Memory is the sum of the peaks of all these processes since their starts. Pages that workers
    share are counted for each of them, so it is an upper bound.
    """

    def __init__(self) -> None:
        self._read_before = self._read()

    def measured(self) -> dict[str, float]:
        """Return the peak memory of Java and of its Python workers, and the bytes workers read."""
        java, workers = _java(), _workers()
        own = sum(map(_peak_of, java))
        python = sum(map(_peak_of, workers))
        return {
            "java_peak_bytes": own,
            "worker_peak_bytes": python,
            "executor_peak_bytes": own + python,
            "worker_read_bytes": self._read() - self._read_before,
        }

    @staticmethod
    def _read() -> int:
        return sum(_number(each / "io", _READ) for each in _workers())


def _peak_of(process: Path) -> int:
    return 1024 * _number(process / "status", _PEAK)


def _java() -> list[Path]:
    return [each for each in _descendants(os.getpid()) if _name(each) == "java"]


def _workers() -> list[Path]:
    """Return Python's processes that Java started: the daemon and its workers."""
    return [
        each for java in _java() for each in _descendants(int(java.name)) if _name(each) != "java"
    ]


def _descendants(process: int) -> list[Path]:
    parents = {int(each.name): _parent(each) for each in Path("/proc").glob("[0-9]*")}
    found = [process]
    for one in found:  # the list grows while it is read
        found += [child for child, parent in parents.items() if parent == one]
    return [Path(f"/proc/{each}") for each in found[1:]]


def _parent(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return None


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:  # it has just ended
        return ""


def _number(file: Path, pattern: re.Pattern[str]) -> int:
    try:
        found = pattern.search(file.read_text())
    except OSError:  # it has just ended
        return 0
    return int(found[1]) if found else 0
