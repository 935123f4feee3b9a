"""The rows of a workload as plain Parquet: a folder for each source, and the spines."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.workload import DAY_US, SPAN_US, START_US, Workload

MOMENT = pa.timestamp("us", tz="UTC")
KEYS_PER_SHOP = 1_000  # of the keys of two parts
FEW = {"spine_1000": 1_000, "spine_one": 200}


def write_parquet(workload: Workload, folder: Path) -> None:
    """Write the views and the spines below ``folder``.

    Workloads that differ only in the type of their keys have the same rows, so the same answers.
    """
    rng = np.random.default_rng(workload.seed)
    for view, names in workload.view_features.items():
        columns = _keyed_times(rng, workload, workload.rows)
        columns |= {name: pa.array(rng.standard_normal(workload.rows)) for name in names}
        (folder / view).mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.table(columns | _known_at(columns, workload)), folder / view / "0.parquet"
        )
    spine = spine_table(rng, workload)
    pq.write_table(spine, folder / "spine.parquet")
    for name, rows in FEW.items():
        pq.write_table(few_keys(spine, workload, rows), folder / f"{name}.parquet")


def spine_table(rng: np.random.Generator, workload: Workload) -> pa.Table:
    """Return keys, a moment ``ts``, and a number ``row`` with which answers are compared."""
    columns = _keyed_times(rng, workload, workload.spine)
    return pa.table(columns | {"row": pa.array(np.arange(workload.spine))})


def few_keys(spine: pa.Table, workload: Workload, rows: int) -> pa.Table:
    """Return one row for each of at most ``rows`` keys, in a random order."""
    keys = list(workload.join_keys)
    firsts = spine.group_by(keys, use_threads=False).aggregate([("row", "min")])["row_min"]
    sampled = np.random.default_rng(workload.seed + 1).permutation(firsts.to_numpy())[:rows]
    return spine.take(pa.array(sampled))


def key_columns(workload: Workload, ids: np.ndarray) -> dict[str, pa.Array]:
    """Return the key columns of the workload for these numbers of keys."""
    if workload.key == "string":
        names = pa.array([f"customer-{number:06d}" for number in range(workload.keys)])
        return {"id": names.take(pa.array(ids))}
    if workload.key == "pair":
        return {"shop": pa.array(ids // KEYS_PER_SHOP), "id": pa.array(ids % KEYS_PER_SHOP)}
    return {"id": pa.array(ids)}


def _keyed_times(rng: np.random.Generator, workload: Workload, rows: int) -> dict[str, pa.Array]:
    ids = rng.integers(0, workload.keys, rows)
    times = pa.array(START_US + rng.integers(0, SPAN_US, rows), MOMENT)
    if workload.hot:
        ids[rng.random(rows) < workload.hot] = 0
    return {**key_columns(workload, ids), "ts": times}


def _known_at(columns: dict[str, pa.Array], workload: Workload) -> dict[str, pa.Array]:
    if not workload.late:
        return {}
    rng = np.random.default_rng(workload.seed + 2)
    rows = len(columns["ts"])
    lag = rng.integers(0, 10 * DAY_US, rows) * (rng.random(rows) < workload.late)
    return {"known_at": pc.add(columns["ts"].cast(pa.int64()), pa.array(lag)).cast(MOMENT)}
