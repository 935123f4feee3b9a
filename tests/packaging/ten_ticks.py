"""A project that a scheduler keeps current: rows of each kind, and what it must store."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from featurestore.cli.template import write_project

PROGRAM = Path(sys.executable).with_name("featurestore")
HEADER = "customer_id,ordered_at,amount,city,revision"
PATIENCE = timedelta(minutes=10)
"""The longest time from the arrival of rows to their storage, also if a run is killed."""

Order = tuple[int, datetime]


@dataclass
class Shop:
    """The project of ``init``, with a schedule of each minute and with expectations.

    Args:
        folder: The project's folder.
        rows: The number of delivered rows.
        null_keys: How many of them have no customer.
        negative: How many of them fail the expectations of `customer_activity`.
        orders: What each order was at last: its amount and city.
    """

    folder: Path
    rows: int = 0
    null_keys: int = 0
    negative: int = 0
    orders: dict[Order, tuple[float, str]] = field(default_factory=dict)

    def featurestore(self, *arguments: str) -> str:
        """Run a command that succeeds, and return what it prints."""
        command = [PROGRAM, *arguments, "--project", self.folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def deliver(self, name: str, lines: list[str]) -> None:
        """Add a file of orders, which is either there or not."""
        folder = self.folder / "data" / "orders"
        written = self.folder / name
        written.write_text("\n".join([HEADER, *lines, ""]), "utf-8")
        written.rename(folder / name)
        self.count(lines)

    def count(self, lines: list[str]) -> None:
        """Record rows in the order of their delivery: the last one of an order is right."""
        for customer, at, amount, city, _ in csv.reader(lines):
            self.rows += 1
            self.null_keys += not customer
            if customer and float(amount) < 0:
                self.negative += 1
            elif customer:
                self.orders[int(customer), datetime.fromisoformat(at)] = (float(amount), city)

    def expected_rows(self) -> dict[str, tuple[int, int]]:
        """The rows that each view has stored, and those in its quarantine."""
        bad = self.null_keys + self.negative
        return {
            "customer_activity": (self.rows - bad, bad),
            "customer_profile": (self.rows - self.null_keys, self.null_keys),
        }

    def stored_rows(self) -> dict[str, tuple[int, int]]:
        views = json.loads(self.featurestore("status", "--json"))["status"]
        return {each["view"]: (each["rows"], each["rows_quarantined"]) for each in views}

    def activity(self, customer: int, at: datetime) -> tuple[int, float]:
        """The number and the amount of a customer's orders of 30 days."""
        amounts = [
            amount
            for (owner, ordered), (amount, _) in self.orders.items()
            if owner == customer and at - timedelta(days=30) < ordered <= at
        ]
        return len(amounts), round(sum(amounts), 2)


def make_shop(folder: Path) -> Shop:
    """Make and apply the project."""
    write_project(folder)
    definitions = folder / "feature_defs" / "shop.py"
    text = definitions.read_text("utf-8")
    for before, after in (
        ('"0 * * * *"', '"* * * * *"'),
        ("# expectations=order_checks", "expectations=order_checks"),
        ('format="csv",', 'format="csv",\n    unique_by=("customer_id", "ordered_at"),'),
        (
            'timestamp_field="ordered_at",',
            'timestamp_field="ordered_at", sequence_field="revision",',
        ),
        (
            'fs.Field("ordered_at", fs.Timestamp),',
            'fs.Field("ordered_at", fs.Timestamp),\n        fs.Field("revision", fs.Int64),',
        ),
    ):
        assert before in text
        text = text.replace(before, after)
    definitions.write_text(text, "utf-8")
    shop = Shop(folder)
    for part in sorted((folder / "data" / "orders").iterdir()):
        lines = [f"{line},0" for line in part.read_text("utf-8").splitlines()[1:]]
        part.write_text("\n".join([HEADER, *lines, ""]), "utf-8")
        shop.count(lines)
    shop.featurestore("apply", "--yes")
    return shop


def lines_of(shop: Shop, number: int, now: datetime) -> list[str]:
    """Return the rows of a tick: new, late, corrected, negative ones, one without a customer."""
    new = [_line(1 + i, now - timedelta(seconds=i), 10.0 + i, "Oslo") for i in range(20)]
    late = [_line(1 + i, now - timedelta(days=5, seconds=i), 7.0, "Lyon") for i in range(3)]
    [*_, first, second] = shop.orders
    corrected = [_line(*each, 1_000.0 + number, "Porto", number + 1) for each in (first, second)]
    negative = [_line(30 + i, now - timedelta(hours=1, seconds=i), -5.0, "Oslo") for i in range(2)]
    return [*new, *late, *corrected, *negative, f",{now.isoformat()},5.0,Oslo,0"]


def _line(customer: int, at: datetime, amount: float, city: str, revision: int = 0) -> str:
    return f"{customer},{at.isoformat()},{amount},{city},{revision}"


def run_ticks(shop: Shop, ticks: int, kill_at: int) -> None:
    """Deliver rows, wait until the scheduler's run has stored them, and do so again.

    Args:
        shop: The project, which a scheduler runs.
        ticks: How often.
        kill_at: The tick whose run is killed in its work.
    """
    wait(lambda: shop.stored_rows() == shop.expected_rows(), "the first tables are built")
    for number in range(ticks):
        now = datetime.now(UTC).replace(microsecond=0)
        shop.deliver(f"tick-{number:02}.csv", lines_of(shop, number, now))
        if number == kill_at:
            kill_run(shop)
        wait(lambda: shop.stored_rows() == shop.expected_rows(), f"tick {number} is stored")
        sys.stderr.write(f"tick {number}: {shop.stored_rows()}\n")


def kill_run(shop: Shop) -> None:
    """Kill the scheduler's run at work, some seconds after it has started a JVM."""
    wait(lambda: busy_runs(shop.folder), "a run is at work")
    time.sleep(3)
    for run in busy_runs(shop.folder)[:1]:
        os.kill(run, signal.SIGKILL)
        sys.stderr.write(f"killed run {run}\n")


def busy_runs(folder: Path) -> list[int]:
    """Return the processes that materialize the project and have started a JVM."""
    parents = {}
    runs = []
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            status = (process / "stat").read_text("utf-8").rpartition(")")[2].split()
            here = (process / "cwd").resolve() == folder or str(folder).encode() in words
        except (OSError, ValueError):
            continue  # no process, or one that has ended
        if b"materialize" in words and here and str(PROGRAM).encode() in words:
            runs.append(int(process.name))
        elif words[0].endswith(b"java"):
            parents[int(process.name)] = int(status[1])
    return [run for run in runs if run in parents.values()]


def wait(is_done: Callable[[], object], what: str) -> None:
    """Wait for the scheduler."""
    end = time.monotonic() + PATIENCE.total_seconds()
    while not is_done():
        assert time.monotonic() < end, f"not within {PATIENCE}: {what}"
        time.sleep(2)
