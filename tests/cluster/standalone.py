"""A Spark cluster of this machine: a master and workers, each a Java process of its own."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from featurestore.engines.spark.session.jars import spark_home
from featurestore.engines.spark.session.java import find_java
from tests.cluster.processes import children, command, descendants, kill

HOST = "127.0.0.1"
WORKERS = 2
_START_SECONDS = 90.0
_POLL_SECONDS = 0.2
_MASTER = "org.apache.spark.deploy.master.Master"
_WORKER = "org.apache.spark.deploy.worker.Worker"
_EXECUTOR = "CoarseGrainedExecutorBackend"

# One core and one executor for each worker, so that two executors share each job.
SMALL = {
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.executor.cores": "1",
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
}


class ClusterStartError(Exception):
    """A process of the cluster has ended, or was not ready in time; with the end of its log."""


@dataclass
class Cluster:
    """A running cluster.

    Args:
        settings: Spark's settings of a session on the cluster.
        folder: The folder of logs, and of what executors write.
        master: The process of the master.
        workers: The processes of the workers, the killed ones too.
    """

    settings: dict[str, str]
    folder: Path
    master: "subprocess.Popen[bytes]"
    workers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of the master."""
        return self.settings["spark.master"]

    def executors(self) -> list[int]:
        """Return the processes of the executors that run now."""
        workers = [worker.pid for worker in self.workers if worker.poll() is None]
        return [
            child
            for worker in workers
            for child in children(worker)
            if _EXECUTOR in command(child)
        ]

    def worker_of(self, executor: int) -> "subprocess.Popen[bytes]":
        """Return the worker that runs an executor."""
        return next(worker for worker in self.workers if executor in children(worker.pid))

    def make_whole(self) -> None:
        """Start workers until the cluster has as many as at its start."""
        running = sum(worker.poll() is None for worker in self.workers)
        started = [self._start_worker() for _ in range(WORKERS - running)]
        for worker, log in started:
            wait_for(worker, log, "Successfully registered with master")

    def _start_worker(self) -> "tuple[subprocess.Popen[bytes], Path]":
        number = len(self.workers) + 1
        log = self.folder / f"worker-{number}.log"
        work = self.folder / f"worker-{number}"
        options = ["--cores", "1", "--memory", "1g", "--webui-port", "0", "--work-dir", str(work)]
        worker = _start(log, _WORKER, "--host", HOST, *options, self.url)
        self.workers.append(worker)
        return worker, log

    def stop(self) -> None:
        """End all processes of the cluster, by their numbers."""
        processes = [self.master, *self.workers]
        below = [each for process in processes for each in descendants(process.pid)]
        for process in reversed(processes):
            process.kill()
            process.wait()
        for each in below:
            kill(each)


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start a master and two workers of a core and 1 GB each, and end them after the block.

    Args:
        folder: An empty folder for logs, and for what executors write.
    """
    port = free_port()
    log = folder / "master.log"
    options = ["--host", HOST, "--port", str(port), "--webui-port", str(free_port())]
    master = _start(log, _MASTER, *options)
    settings = {"spark.master": f"spark://{HOST}:{port}", "spark.executor.memory": "768m"}
    cluster = Cluster(SMALL | settings, folder, master)
    try:
        cluster.make_whole()  # workers wait for the master by themselves
        yield cluster
    finally:
        cluster.stop()


def free_port() -> int:
    """Return a port of loopback that nothing uses now."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        port: int = server.getsockname()[1]
        return port


def spark_environment() -> dict[str, str]:
    """Return the environment of Spark's own programs: no Python path, and loopback only."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "SPARK_CONF_DIR")
    return {name: value for name, value in os.environ.items() if name not in hidden} | {
        "JAVA_HOME": str(find_java().home),
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": HOST,  # also where the web pages listen
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "PYSPARK_PYTHON": sys.executable,
    }


def _start(log: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start a program of Spark; its script replaces itself by Java, so the number is Java's."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [spark_home() / "bin" / "spark-class", *arguments],
            cwd=log.parent, env=spark_environment(), stdout=output, stderr=output,
        )  # fmt: skip


def wait_for(process: "subprocess.Popen[bytes]", log: Path, sign: str) -> None:
    """Wait until a log has a text."""
    end = time.monotonic() + _START_SECONDS
    while sign not in (text := log.read_text("utf-8", "replace")):
        if process.poll() is not None or time.monotonic() > end:
            raise ClusterStartError(text[-3000:])
        time.sleep(_POLL_SECONDS)


def executor_log(cluster: Cluster) -> str:
    """Return what all executors have written, for messages of failed tests."""
    return "\n".join(_texts(sorted(cluster.folder.glob("worker-*/app-*/*/std*"))))


def _texts(files: Sequence[Path]) -> Iterator[str]:
    for file in files:
        yield f"== {file.parent.name} {file.name}"
        yield re.sub(r"\n+", "\n", file.read_text("utf-8", "replace"))[-5000:]
