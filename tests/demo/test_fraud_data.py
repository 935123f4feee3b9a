"""Loads of payments: a first load, then one day in each load, and each row once."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from demo.fraud.data import CHARGEBACKS, load_next, read_chargebacks, read_transactions
from demo.fraud.simulator import Simulation, Size, simulate


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate(Size(payments=3_000, cards=60, merchants=60, days=40))


def test_the_first_load_has_the_rows_that_arrived_first(
    simulation: Simulation, tmp_path: Path
) -> None:
    loaded = load_next(tmp_path, simulation, 2_900)

    rows = read_transactions(tmp_path)
    assert rows.num_rows == 2_900
    assert pc.max(rows["ingested_at"]).as_py() == loaded.now
    assert pc.max(read_chargebacks(tmp_path)["reported_at"]).as_py() <= loaded.now


def test_each_later_load_has_the_next_day_and_late_rows(
    simulation: Simulation, tmp_path: Path
) -> None:
    first = load_next(tmp_path, simulation, 2_900)

    second = load_next(tmp_path, simulation, 2_900)

    rows = read_transactions(tmp_path)
    new = rows.filter(pc.greater(rows["ingested_at"], pa.scalar(first.now)))
    assert second.now - first.now == timedelta(days=1)
    assert new.num_rows == rows.num_rows - 2_900 > 0


def test_loads_end_with_the_simulation_and_have_every_row_once(
    simulation: Simulation, tmp_path: Path
) -> None:
    loads = [load_next(tmp_path, simulation, 2_800) for _ in range(8)]

    ids = read_transactions(tmp_path)["transaction_id"]
    reported = read_chargebacks(tmp_path)["transaction_id"]
    assert loads[-1].written == loads[-2].written == []
    assert loads[-1].now == loads[-2].now
    assert len(ids.unique()) == len(ids)
    assert len(reported.unique()) == len(reported)
    arrived_in_time = pc.less_equal(
        simulation.transactions["ingested_at"], pa.scalar(loads[-1].now)
    )
    assert len(ids) == pc.sum(arrived_in_time).as_py()


def test_a_load_that_ended_after_its_chargebacks_is_completed(
    simulation: Simulation, tmp_path: Path
) -> None:
    load_next(tmp_path / "whole", simulation, 2_900)
    (tmp_path / "broken" / CHARGEBACKS).mkdir(parents=True)
    for file in (tmp_path / "whole" / CHARGEBACKS).iterdir():
        (tmp_path / "broken" / CHARGEBACKS / file.name).write_bytes(file.read_bytes())

    load_next(tmp_path / "broken", simulation, 2_900)

    whole, completed = (read_chargebacks(tmp_path / name) for name in ("whole", "broken"))
    assert completed.equals(whole)
    assert read_transactions(tmp_path / "broken").num_rows == 2_900
