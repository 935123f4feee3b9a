"""Files that executors have written become a version of a training set by one commit."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from featurestore.errors import RequestError
from featurestore.store.layout import Layout
from featurestore.store.training_sets.files import new_folder, save_files
from featurestore.store.training_sets.notes import TrainingSet
from featurestore.store.training_sets.storage import schema_text, stored_rows
from featurestore.store.training_sets.table import load_rows, names_of, versions_of


def saved(layout: Layout, *parts: pa.Table) -> TrainingSet:
    schema = parts[0].schema
    described = replace(
        TrainingSet("fraud", rows=sum(map(len, parts)), schema=schema_text(schema)),
        created_at=pa.scalar(0, pa.timestamp("us", "UTC")).as_py(),
    )
    stored = stored_rows(pa.concat_tables(parts), "save")
    with new_folder(layout, "fraud", "save") as folder:
        Path(folder).mkdir(parents=True)
        start = 0
        for number, part in enumerate(parts):
            file = Path(folder) / f"part-{number}.snappy.parquet"
            pq.write_table(stored.slice(start, len(part)), file)
            start += len(part)
        (Path(folder) / "_SUCCESS").touch()
        return save_files(layout, described, folder, stored.schema, "save")


def test_each_save_is_a_version_with_its_rows_in_order(tmp_path):
    layout = Layout(str(tmp_path))
    rows = pa.table({"n": pa.array(range(10), pa.int64()), "text": list("abcdefghij")})

    first = saved(layout, rows.slice(0, 4), rows.slice(4))
    second = saved(layout, rows.slice(5).rename_columns(["n", "other"]))

    assert (first.version, second.version) == (0, 1)
    assert load_rows(layout, first) == rows
    assert load_rows(layout, second).column_names == ["n", "other"]
    assert [each.rows for each in versions_of(layout, "fraud", "call")] == [10, 5]


def test_saves_at_the_same_time_get_versions_of_their_own(tmp_path):
    layout = Layout(str(tmp_path))
    tables = [pa.table({"n": [number]}) for number in range(4)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda table: saved(layout, table), tables))

    assert sorted(each.version for each in found) == [0, 1, 2, 3]
    assert [load_rows(layout, each)["n"].to_pylist() for each in found] == [[0], [1], [2], [3]]


def test_files_without_a_commit_are_removed(tmp_path):
    layout = Layout(str(tmp_path))

    with pytest.raises(RequestError), new_folder(layout, "fraud", "save") as folder:
        Path(folder).mkdir(parents=True)
        (Path(folder) / "part-0.parquet").touch()
        raise RequestError("save", "it fails", "Do it again.")

    assert not Path(folder).exists()
    assert names_of(layout) == ()
