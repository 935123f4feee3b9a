"""The probe: which pinned tables a task can read."""

import os
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from featurestore.engines.spark.retrieve.probe import (
    probe,
    probe_write,
    unreadable_tables,
    write_problem,
)
from featurestore.engines.spark.retrieve.task import TableVersion


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, TableVersion]:
    """Return a whole table, one whose file is gone, and one that does not exist."""
    for name in ("whole", "torn"):
        write_deltalake(str(tmp_path / name), pa.table({"id": [1]}))
    for file in (tmp_path / "torn").glob("*.parquet"):
        file.unlink()
    return {name: TableVersion(str(tmp_path / name), 0) for name in ("whole", "torn", "missing")}


def test_a_table_is_readable_if_its_log_and_a_file_can_be_opened(tables):
    assert sorted(unreadable_tables(tables)) == ["missing", "torn"]


def test_a_spark_task_says_which_tables_it_cannot_read_and_where(tables, spark):
    problems = {each.view: each for each in probe(spark, tables)}

    assert sorted(problems) == ["missing", "torn"]
    assert problems["missing"].uri == tables["missing"].uri
    assert problems["torn"].host
    assert problems["torn"].problem == unreadable_tables(tables)["torn"]


def test_a_problem_shows_no_credential_of_the_address_or_of_the_storage(spark, tmp_path):
    uri = f"{tmp_path}/https://reader:hunter2@store/table?sig=c2VjcmV0"

    (found,) = probe(spark, {"payments": TableVersion(uri, 0)})

    assert "hunter2" not in f"{found.problem} {found.uri}"
    assert "c2VjcmV0" not in f"{found.problem} {found.uri}"


@pytest.mark.skipif(os.name != "posix", reason="the limit of file sizes is POSIX's")
def test_a_table_is_writable_if_a_file_can_be_added_to_it(tables):
    import resource  # noqa: PLC0415 - POSIX has it

    before = sorted(Path(tables["whole"].uri).iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        refused = write_problem(tables["whole"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    for left in Path(tables["whole"].uri).glob("probe-*"):
        left.unlink()

    assert refused
    assert write_problem(tables["whole"]) is None
    assert sorted(Path(tables["whole"].uri).iterdir()) == before


def test_a_spark_task_says_whether_it_can_write_into_a_table(tables, spark):
    before = sorted(Path(tables["whole"].uri).iterdir())

    assert probe_write(spark, tables["whole"]) is None
    assert probe_write(spark, tables["missing"])
    assert sorted(Path(tables["whole"].uri).iterdir()) == before
