"""Texts and lists count by their measured size, whatever their encoding in the files."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.retrieval.widths import LEAST_WIDTH, width_of
from featurestore.store.delta.snapshot import Snapshot, open_snapshot
from tests.effort import examples


def width(folder: Path, column: pa.Array, *, files: int = 1) -> int:
    for file in range(files):
        part = column[file * len(column) // files : (file + 1) * len(column) // files]
        write_deltalake(str(folder), pa.table({"x": part}), mode="append")
    return width_of(open_snapshot(str(folder)), "x")


@pytest.mark.parametrize(
    ("column", "size"),
    [
        (pa.array([1, None, 3], pa.int32()), 4),
        (pa.array([True, None]), 1),
        (pa.array([chr(97 + n % 26) * 10_000 for n in range(60)]), 10_000),
        (pa.array(["a" * 10_000] * 3000), 10_000),
        (pa.array([chr(97 + n % 5) * 10_000 for n in range(3000)]), 10_000),
        (pa.array([b"a" * 10_000] * 30), 10_000),
        (pa.array([list(range(1000))] * 30), 8000),
        (pa.array([["b" * 100] * 50] * 300), 5000),
        (pa.array([[("k" * 100, 1)] * 20] * 300, pa.map_(pa.string(), pa.int64())), 2160),
        (pa.array([{"a": "c" * 1000, "b": 1}] * 300), 1000),
        (pa.array(["short"] * 300), LEAST_WIDTH),
        (pa.array([None] * 3, pa.string()), LEAST_WIDTH),
        (pa.array([], pa.string()), LEAST_WIDTH),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else str(value),
)
def test_a_value_counts_by_its_mean_size(tmp_path: Path, column: pa.Array, size: int) -> None:
    assert size <= width(tmp_path, column) <= size * 1.3 + 16


@given(lengths=st.lists(st.integers(0, 5000), min_size=1, max_size=60), files=st.integers(1, 12))
@examples(20)
def test_files_of_any_number_give_the_mean_of_texts_that_differ(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], files: int
) -> None:
    texts = [f"{n:05d}" + "x" * length for n, length in enumerate(lengths)]
    mean = sum(map(len, texts)) / len(texts)

    found = width(tmp_path_factory.mktemp("t"), pa.array(texts), files=files)

    # Of more than four files four are looked at.
    slack = 1 if files <= 4 else 12
    assert found >= min(mean, LEAST_WIDTH)
    assert found <= slack * (2 * mean + 200)
    if files <= 4:
        assert found >= mean


def test_a_file_that_is_gone_is_left_to_the_call_that_reads_it() -> None:
    files = pa.table({"path": ["gone.parquet"], "num_records": [5]})
    snapshot = Snapshot("no/such/table", 0, files, pa.schema([("x", pa.string())]))

    assert width_of(snapshot, "x") == LEAST_WIDTH
