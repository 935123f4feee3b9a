"""The simulated payments as sources: a first load, then one more day in each run."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable

from demo.fraud.simulator import Simulation
from demo.sources import Written, append_delta, write_file_once

TRANSACTIONS = "data/fraud/transactions"
CHARGEBACKS = "data/fraud/chargebacks"
FIRST_LOAD = 200_000
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Loaded:
    """The result of a load.

    Args:
        written: The sources that were written.
        now: The present moment of the simulation. The sources have all rows that arrived by then.
    """

    written: list[Written]
    now: datetime


def load_next(project: Path, simulation: Simulation, first_load: int = FIRST_LOAD) -> Loaded:
    """Write the first load, or the next day, until the simulation ends.

    A load has the rows that arrived since the load before. Some of them are late payments of
    earlier days. The chargebacks of a load are one file.

    Args:
        project: The project's folder.
        simulation: The simulated payments.
        first_load: The number of payments in the first load.
    """
    arrived = simulation.transactions["ingested_at"]
    first: datetime = arrived[min(first_load, len(arrived)) - 1].as_py()
    newest = _newest_arrival(project)
    previous = None if newest is None else first + _whole_days(newest - first)
    now = first if previous is None else previous + ONE_DAY
    if previous is not None and now > pc.max(simulation.transactions["event_timestamp"]).as_py():
        return Loaded([], previous)
    # Chargebacks are written first, and a file is never written twice. So if a run ends between
    # the two writes, the next run completes the load.
    return Loaded(
        [
            _write_chargebacks(project, simulation.chargebacks, previous, now),
            append_delta(
                project,
                TRANSACTIONS,
                _between(simulation.transactions, "ingested_at", previous, now),
            ),
        ],
        now,
    )


def read_transactions(project: Path) -> pa.Table:
    """Return the payments in the source."""
    return pa.table(DeltaTable(str(project / TRANSACTIONS)).to_pyarrow_table())


def read_chargebacks(project: Path) -> pa.Table:
    """Return the chargebacks in the source."""
    return pq.read_table(project / CHARGEBACKS)


def _newest_arrival(project: Path) -> datetime | None:
    if not DeltaTable.is_deltatable(str(project / TRANSACTIONS)):
        return None
    arrived = DeltaTable(str(project / TRANSACTIONS)).to_pyarrow_table(columns=["ingested_at"])
    newest: datetime = pc.max(arrived["ingested_at"]).as_py()
    return newest


def _whole_days(passed: timedelta) -> timedelta:
    # A load ends a whole number of days after the first one, a little after its newest row.
    return -(-passed // ONE_DAY) * ONE_DAY


def _between(table: pa.Table, column: str, before: datetime | None, now: datetime) -> pa.Table:
    inside = pc.less_equal(table[column], pa.scalar(now, table[column].type))
    if before is not None:
        after = pc.greater(table[column], pa.scalar(before, table[column].type))
        inside = pc.and_(inside, after)
    return table.filter(inside)


def _write_chargebacks(
    project: Path, chargebacks: pa.Table, before: datetime | None, now: datetime
) -> Written:
    rows = _between(chargebacks, "reported_at", before, now)
    name = now.astimezone(UTC).strftime("until_%Y%m%dT%H%M%S.parquet")
    return write_file_once(
        project, f"{CHARGEBACKS}/{name}", rows.num_rows, lambda path: pq.write_table(rows, path)
    )
