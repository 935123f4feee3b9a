"""Sources are written once: a second run of the demo does not write them again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake


@dataclass(frozen=True)
class Written:
    """The result of writing one source.

    Args:
        path: The source's path, relative to the project's folder.
        rows: The number of rows that were written. 0 if the source existed already.
    """

    path: str
    rows: int


def write_delta_once(project: Path, path: str, table: Callable[[], pa.Table]) -> Written:
    """Write a Delta table unless it exists."""
    if DeltaTable.is_deltatable(str(project / path)):
        return Written(path, 0)
    return append_delta(project, path, table())


def append_delta(project: Path, path: str, table: pa.Table) -> Written:
    """Append rows to a Delta table, which is created if necessary."""
    write_deltalake(str(project / path), table, mode="append")
    return Written(path, table.num_rows)


def write_file_once(
    project: Path, path: str, rows: int, write: Callable[[Path], object]
) -> Written:
    """Write one file of a file source unless it exists. No reader ever sees a part of it."""
    target = project / path
    if target.exists():
        return Written(path, 0)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Spark skips files whose names start with a dot or an underscore.
    unfinished = target.with_name(f".{target.name}.unfinished")
    write(unfinished)
    unfinished.replace(target)
    return Written(path, rows)
