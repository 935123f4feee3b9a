"""The check that this process may use delta-rs: not if it was forked from one that did.

The threads of delta-rs do not exist in a forked process. Each call there panics, with an exception
that is no `Exception`.
"""

import os
from pathlib import Path

from deltalake import DeltaTable

from featurestore.errors import SetupError

_NO_TABLE = str(Path(__file__).parent)


class _Use:
    """The process that used delta-rs through this module, and whether a forked one failed."""

    process: int | None = None
    failed_in: int | None = None


def check_process() -> None:
    """Refuse a process that was forked from one that had used delta-rs.

    Raises:
        SetupError: The process cannot use delta-rs.

    Example:
        >>> check_process()
    """
    process = os.getpid()
    if process == _Use.process:
        return
    # Other code may have used delta-rs before a fork, which only a call tells.
    if _Use.process is not None or process == _Use.failed_in or _panics():
        _Use.failed_in = process
        raise SetupError(
            f"read Delta tables in the forked process {process}",
            "it was forked from a process that had read Delta tables, and delta-rs, the library "
            "that reads them, does not work after a fork",
            "Start processes by 'spawn', for example multiprocessing.get_context('spawn') or "
            "DataLoader(multiprocessing_context='spawn'). Or read in the forked processes only: "
            "gunicorn without --preload, for example.",
        )
    _Use.process = process


def _panics() -> bool:
    try:
        DeltaTable.is_deltatable(_NO_TABLE)
    except BaseException as error:  # pyo3's PanicException is no Exception
        if type(error).__name__ != "PanicException":
            raise
        return True
    return False
