"""A Spark Connect server of this machine, on loopback."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from featurestore.engines.spark.session.jars import spark_home
from featurestore.engines.spark.session.session import read_settings, session_config
from tests.cluster.processes import descendants, kill
from tests.cluster.standalone import HOST, SMALL, free_port, spark_environment, wait_for

_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """Start a server with two cores in its own process, and yield its address.

    Args:
        folder: An empty folder for its log and its warehouse.
    """
    port = free_port()
    settings = (
        read_settings()
        | SMALL
        | session_config()
        | {
            "spark.master": "local[2]",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.connect.grpc.binding.address": HOST,
            "spark.connect.grpc.binding.port": str(port),
        }
    )
    conf = folder / "server.conf"
    conf.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), "utf-8")
    log = folder / "server.log"
    # Spark takes the memory of a server from here, not from its settings.
    environ = spark_environment() | {"SPARK_DAEMON_MEMORY": "1g"}
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                spark_home() / "bin" / "spark-submit",
                "--properties-file", conf, "--class", _CLASS, "spark-internal",
            ],
            cwd=folder, env=environ, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        wait_for(server, log, "Spark Connect server started")
        yield f"sc://{HOST}:{port}"
    finally:
        below = descendants(server.pid)
        server.kill()
        server.wait()
        for each in below:
            kill(each)
