"""The memory that this machine has left for a call, where no setting limits it."""

import os
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def available_memory(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int | None:
    """Return how many bytes programs can still get on this machine; None if it does not say.

    In a container it is what the container's limit leaves.

    Args:
        meminfo: The file with the memory of a Linux machine (proc_meminfo(5)).
        cgroup: The folder with the limits of a container (Linux: cgroup v2).

    Example:
        >>> size = available_memory()
        >>> size is None or size > 0
        True
    """
    found = [each for each in (_of_machine(meminfo), _of_container(cgroup)) if each is not None]
    return min(found, default=None)


def _of_machine(meminfo: Path) -> int | None:
    try:
        lines = (line.split() for line in meminfo.read_text().splitlines())
        kilobytes = {name: size for name, size, *_ in lines}
        return int(kilobytes["MemAvailable:"]) * 1024
    except (OSError, KeyError, ValueError):
        return _physical()


def _physical() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None


def _of_container(cgroup: Path) -> int | None:
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text())
    except (OSError, ValueError):  # no container, or "max": no limit
        return None
    return max(limit - used, 0)
