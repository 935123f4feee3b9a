"""A second process that materializes at the same time as the test.

`python -m tests.jobs.racing FOLDER`: for each line ``VIEW WAIT`` of its standard input,
materialize the view once, and print the result as a line.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from featurestore.engines.spark.session.session import session
from featurestore.errors import ConflictError
from featurestore.jobs.materialize.start import materialize
from tests.jobs.world import SPENDING, World, other

VIEWS = (SPENDING, other(SPENDING, name="other"))
BUSY = "busy"


def racing_world(folder: Path, spark: SparkSession) -> World:
    """A project of two views with one source, and with one ledger."""
    return World(folder, spark, views=[*VIEWS])


def race(world: World, view: str, *, wait: bool) -> str:
    """Materialize a view, and return the status of its run; `BUSY` if the other process has it."""
    try:
        (result,) = materialize(world.job, [view], wait=wait)
    except ConflictError:
        return BUSY
    return result.status


class Rival:
    """The second process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self, view: str, *, wait: bool) -> None:
        """Let it materialize a view."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{view} {int(wait)}\n")
            self._process.stdin.flush()

    def status(self) -> str:
        """Wait for its result, and return it."""
        line = "" if self._process.stdout is None else self._process.stdout.readline()
        return line.strip()


@contextmanager
def rival(folder: Path) -> Iterator[Rival]:
    """Start the second process, wait until it is ready, and end it in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.racing", str(folder)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with process:
            started = Rival(process)
            if started.status() != "ready":
                raise RuntimeError("the second process did not start")
            yield started
    finally:
        process.kill()


def main(folder: str) -> None:
    """Materialize a view for each line of the standard input."""
    conf = Path(__file__).parents[2] / "spark-conf" / "test.conf"
    world = racing_world(Path(folder), session(conf, warehouse=Path(folder) / "spark"))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        view, wait = line.split()
        sys.stdout.write(f"{race(world, view, wait=wait == '1')}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
