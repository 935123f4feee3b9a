"""A project of ``init`` under the real cron and the real Airflow: ten ticks, one run killed."""

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.packaging.environments import make_environment
from tests.packaging.interpreters import OWN, interpreter
from tests.packaging.ten_ticks import Shop, make_shop, run_ticks

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TICKS, KILLED = int(os.environ.get("TICKS", "10")), int(os.environ.get("KILLED", "5"))
# A daemon of its own, which sees no other crontab of this machine.
CRON = """\
set -e
mount -t tmpfs tmpfs /var/spool/cron/crontabs
mount -t tmpfs tmpfs /etc/cron.d
mount -t tmpfs tmpfs /run
mount --bind /dev/null /etc/crontab
{install}
exec cron -f
"""


@contextmanager
def started(command: list[str], log: Path, **options: object) -> Iterator[None]:
    """Run a daemon with all that it starts, until the end of the block."""
    with log.open("wb") as output:
        daemon = subprocess.Popen(  # type: ignore[call-overload]  # options of it
            command, stdout=output, stderr=output, start_new_session=True, **options
        )
    try:
        yield
    finally:
        os.killpg(daemon.pid, signal.SIGTERM)
        daemon.wait(60)


def export(shop: Shop, scheduler: str) -> str:
    """Export the file of a scheduler, and return the command that installs it."""
    printed = json.loads(shop.featurestore("schedule", "export", scheduler, "--json"))
    [command] = printed["export"]["next"]
    return str(command)


@contextmanager
def cron(shop: Shop, folder: Path) -> Iterator[None]:
    if not has_cron():
        pytest.skip("a cron daemon of its own needs root, cron and unshare")
    script = CRON.format(install=export(shop, "cron"))
    with started(["unshare", "-m", "sh", "-c", script], folder / "cron.log"):
        yield


@contextmanager
def airflow(shop: Shop, folder: Path) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {
        "AIRFLOW_HOME": str(folder / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__PARALLELISM": "2",
    }
    made = make_environment(
        folder / "env", interpreter(OWN), "apache-airflow>=3.2", variables=variables
    )
    environment = {
        **os.environ,
        **variables,
        "PATH": f"{made.folder / 'bin'}:{os.environ['PATH']}",
    }
    subprocess.run(["sh", "-ec", export(shop, "airflow")], env=environment, check=True)
    program = str(made.folder / "bin" / "airflow")
    with started([program, "standalone"], folder / "airflow.log", env=environment):
        yield


def has_cron() -> bool:
    """Whether a cron daemon of its own can be started here."""
    if shutil.which("cron") is None or shutil.which("unshare") is None:
        return False
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.parametrize("scheduler", [cron, airflow])
def test_ten_ticks_with_bad_rows_and_a_kill_leave_nothing_to_find(
    scheduler: object, tmp_path: Path
) -> None:
    shop = make_shop(tmp_path / "shop")

    with scheduler(shop, tmp_path):  # type: ignore[operator]  # one of the two
        run_ticks(shop, TICKS, KILLED)

    assert json.loads(shop.featurestore("doctor", "--json"))["doctor"] == []
    shop.featurestore("verify", "returns_v1", "--source")
    assert answers(shop) == expected(shop)


CUSTOMERS = range(1, 41)


def answers(shop: Shop) -> dict[int, tuple[int, float]]:
    """Each customer's orders of 30 days, by the command line."""
    keys = [f"customer_id={customer}" for customer in CUSTOMERS]
    printed = shop.featurestore("latest", "returns_v1", *keys, "--format", "json")
    rows = [json.loads(line) for line in printed.splitlines()]
    return {
        row["customer_id"]: (
            row["count_30d"],
            round(row["amount_sum_30d"], 2),
        )
        for row in rows
    }


def expected(shop: Shop) -> dict[int, tuple[int, float]]:
    now = datetime.now(UTC)
    return {customer: shop.activity(customer, now) for customer in CUSTOMERS}
