"""`Workload`: the sizes and shapes of synthetic feature tables and of their spines."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

START_US = 1_700_000_000_000_000
DAY_US = 86_400_000_000
SPAN_US = 90 * DAY_US
HOURS = {"1h": 1, "1d": 24, "7d": 168, "30d": 720}
FUNCTIONS = ("count", "sum", "mean", "min", "max")

FILE = "workload.json"
_JOIN_KEYS = {"int": ("id",), "string": ("id",), "pair": ("shop", "id")}


@dataclass(frozen=True)
class Workload:
    """A spine and views with the same keys. The rows of each view span 90 days.

    Args:
        name: The name of its folder below the data folder.
        keys: The number of keys of the spine and of the views.
        rows: The number of rows of each view.
        spine: The number of rows of the spine.
        views: The number of views.
        features: The number of features of each view.
        key: The type of the keys: integers, strings, or pairs of integers.
        hot: The share of all rows, also of the spine, that have the same key.
        late: The share of rows that become visible up to 10 days after their events.
        ttl_days: The ttl in days. None for no ttl.
        events: Whether it has one source of events with windows instead of as-of views.
        seed: The seed of the random numbers.
    """

    name: str
    keys: int = 100_000
    rows: int = 2_000_000
    spine: int = 500_000
    views: int = 5
    features: int = 4
    key: Literal["int", "string", "pair"] = "int"
    hot: float = 0.0
    late: float = 0.0
    ttl_days: int | None = None
    events: bool = False
    seed: int = 0

    @property
    def join_keys(self) -> tuple[str, ...]:
        """The columns of a key."""
        return _JOIN_KEYS[self.key]

    @property
    def view_features(self) -> dict[str, list[str]]:
        """The value columns of each view, by its name, which is also the folder of its source."""
        if self.events:
            return {"events": ["amount", *(f"f{other}" for other in range(1, self.features))]}
        return {
            f"v{view}": [f"v{view}_f{feature}" for feature in range(self.features)]
            for view in range(self.views)
        }

    def scaled(self, factor: float) -> "Workload":
        """Return the workload with this factor of its rows and keys, for development."""
        if factor == 1:
            return self
        keys, rows, spine = (
            max(10, int(size * factor)) for size in (self.keys, self.rows, self.spine)
        )
        return replace(self, name=f"{self.name}_x{factor:g}", keys=keys, rows=rows, spine=spine)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("plain"),
        Workload("wide", keys=10_000, rows=100_000, spine=10_000, views=100, features=20),
        Workload("string_keys", key="string"),
        Workload("two_part_keys", key="pair"),
        Workload("late_and_ttl", late=0.05, ttl_days=30),
        Workload("hot_key", hot=0.5),
        Workload("windows_20_a_key", events=True),
        Workload("windows_2000_a_key", keys=1_000, events=True),
        Workload(
            "hundred_million",
            keys=1_000_000,
            rows=100_000_000,
            spine=1_000_000,
            views=1,
            features=2,
        ),
    )
}


def is_written(workload: Workload, folder: Path) -> bool:
    """Return whether the folder has exactly this workload, completely written."""
    file = folder / FILE
    return file.exists() and json.loads(file.read_text()) == asdict(workload)


def mark_written(workload: Workload, folder: Path) -> None:
    """Record that the folder has the workload, for `is_written` and for the contestants."""
    (folder / FILE).write_text(json.dumps(asdict(workload), indent=1) + "\n")


def read_workload(folder: Path) -> Workload:
    """Return the workload of a folder."""
    return Workload(**json.loads((folder / FILE).read_text()))
