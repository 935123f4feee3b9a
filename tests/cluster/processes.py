"""Processes of this machine by Linux's /proc: children, commands, and their end."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def children(process: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    return [child for child, parent in _parents() if parent == process]


def descendants(process: int) -> list[int]:
    """Return the processes below a process, in any depth."""
    found, parents = [process], list(_parents())
    for each in found:
        found += [child for child, parent in parents if parent == each]
    return found[1:]


def ancestors(process: int) -> list[int]:
    """Return the processes above a process, the nearest first."""
    parents, found = dict(_parents()), []
    while (process := parents.get(process, 0)) > 1:
        found.append(process)
    return found


def command(process: int) -> str:
    """Return the command line of a process; ``""`` if it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text("utf-8").replace("\0", " ")
    except OSError:
        return ""


def kill(process: int) -> None:
    """End a process at once, as a lack of memory or a lost machine does."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text("utf-8")
            except OSError:  # it has ended
                continue
            # The name, in parentheses, may have spaces. The parent stands two fields after it.
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state != "Z":
                yield int(folder.name), int(parent)
