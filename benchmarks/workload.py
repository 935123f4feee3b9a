"""The synthetic point-in-time workload: one spine and several feature tables, as Parquet."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START_US = 1_700_000_000_000_000
SPAN_US = 90 * 86_400_000_000


@dataclass(frozen=True)
class Workload:
    """Sizes of the workload: rows of the spine, of each view, and how many keys they share."""

    keys: int = 100_000
    rows: int = 2_000_000
    spine: int = 500_000
    views: int = 5
    features: int = 4
    seed: int = 0

    @property
    def name(self) -> str:
        """A folder's name for it."""
        return (
            f"k{self.keys}_r{self.rows}_s{self.spine}_v{self.views}_f{self.features}_{self.seed}"
        )


def write(workload: Workload, folder: Path) -> Path:
    """Write the workload below ``folder``, unless it is there, and return its place."""
    out = folder / workload.name
    if (out / "spine.parquet").exists():
        return out
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(workload.seed)
    for view in range(workload.views):
        columns = _keyed_times(rng, workload.rows, workload.keys)
        for feature in range(workload.features):
            columns[f"v{view}_f{feature}"] = pa.array(rng.standard_normal(workload.rows))
        (out / f"v{view}").mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), out / f"v{view}" / "part-0.parquet")
    spine = _keyed_times(rng, workload.spine, workload.keys)
    spine["label"] = pa.array(rng.integers(0, 2, workload.spine))
    pq.write_table(pa.table(spine), out / "spine.parquet")
    return out


def _keyed_times(rng: np.random.Generator, rows: int, keys: int) -> dict[str, pa.Array]:
    times = START_US + rng.integers(0, SPAN_US, rows)
    return {
        "id": pa.array(rng.integers(0, keys, rows)),
        "ts": pa.array(times, pa.timestamp("us", tz="UTC")),
    }
