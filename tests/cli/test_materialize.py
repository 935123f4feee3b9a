"""`featurestore materialize` with Spark: Ctrl-C, and views that fail."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from featurestore.cli.template import write_project
from featurestore.engines.spark.session.session import LOG_NAME

PROGRAM = Path(sys.executable).with_name("featurestore")
SECONDS = 120


@pytest.fixture
def shop(run, tmp_path: Path) -> Path:
    write_project(tmp_path / "shop")
    run("apply", "-p", tmp_path / "shop", "--yes")
    return tmp_path / "shop"


def processes(folder: Path) -> list[str]:
    """Return the Java processes whose settings name the folder."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "args"], capture_output=True, check=True)
    return [line for line in listed.stdout.decode().splitlines() if f"{folder}/." in line]


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process by its id")
@pytest.mark.parametrize("seconds", [0, 2.5])  # Java starts, and then py4j waits for its answer
def test_ctrl_c_while_spark_starts_leaves_no_traceback_and_no_java(
    shop: Path, seconds: float
) -> None:
    command = [PROGRAM, "materialize", "-p", shop]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        log, deadline = shop / ".featurestore" / LOG_NAME, time.monotonic() + SECONDS
        while not (log.is_file() and log.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(seconds)

        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=SECONDS)

    assert (p.returncode, out) == (130, "")
    assert err.splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in err
    assert "py4j" not in err
    deadline = time.monotonic() + SECONDS
    while processes(shop) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert processes(shop) == []


@pytest.mark.spark
def test_the_message_of_a_failed_view_is_printed_once(run, spark, shop: Path) -> None:
    shutil.rmtree(shop / "data" / "orders")
    log = shop / ".featurestore" / LOG_NAME
    log.parent.mkdir(exist_ok=True)
    log.write_text("of an earlier program")
    os.utime(log, (0, 0))

    code, out, err = run("materialize", "customer_profile", "-p", shop)

    assert code == 1
    assert out.count("failed") == 1
    assert err.count("data/orders") == 1
    (line,) = (each for each in err.splitlines() if "failed" in each)
    assert "customer_profile" in line and "data/orders" in line
    assert str(log) not in err
