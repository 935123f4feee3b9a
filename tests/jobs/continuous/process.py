"""`featurestore materialize --continuous` as a process of its own, and what it has stored."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import featurestore as fs

_PATIENCE = 400.0


class Process:
    """The command, in a process of its own, which a `with` block ends if it still runs then.

    Args:
        project: The project's folder. The process writes its messages to the file of `log`.
        faults: Where it is killed, as in ``FEATURESTORE_FAULTS``.
    """

    def __init__(self, project: Path, faults: str = "") -> None:
        command = [sys.executable, "-c", "from featurestore.cli import main; main()"]
        command += ["materialize", "--continuous", "--trigger", "1s", "--project", str(project)]
        self.log = project / "continuous.log"
        self._log = self.log.open("ab")
        self.running = subprocess.Popen(
            command,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "FEATURESTORE_FAULTS": faults},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.running.kill()
        self.wait()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            assert self.running.poll() is None, self.log.read_text("utf-8")[-3000:]
            assert time.monotonic() < deadline, self.log.read_text("utf-8")[-3000:]
            time.sleep(0.3)

    def wait(self) -> int:
        code = self.running.wait(_PATIENCE)
        self._log.close()
        return code

    def end(self) -> int:
        """Let the batches that run end, and return the exit code."""
        self.running.send_signal(signal.SIGTERM)
        return self.wait()


def amounts(project: Path, view: str) -> list[float]:
    rows = fs.FeatureStore(project).sql(f"SELECT amount FROM {view}")
    return sorted(rows["amount"].to_pylist())


def batches(project: Path, view: str) -> int:
    found = next(each for each in fs.FeatureStore(project).status() if each.view == view)
    process = found.continuous
    return process.state.batches if process is not None and process.is_running else 0
