"""`--engine spark` of the verbs that add features to rows."""

import pyarrow as pa
import pyarrow.parquet as pq

from featurestore.client.spines.read import read_spine
from tests.client.on_demand_shop import SPINE, filled_shop


def test_executors_write_a_table_and_a_training_set(tmp_path, spark, run):
    store = filled_shop(tmp_path)
    spine = pa.table(SPINE).append_column("y", pa.array([0, 1, 0, 1, 0]))
    pq.write_table(spine, tmp_path / "spine.parquet")
    arguments = ["everything", tmp_path / "spine.parquet", "--project", tmp_path]
    by_spark = ["--engine", "spark", "--out", f"file://{tmp_path}/out"]

    code, _, stderr = run("training-set", *arguments, "--label", "y", *by_spark, "--save", "fraud")

    local = store.get_training_set("everything", spine, label="y").to_arrow().to_pylist()
    assert (code, "scan" in stderr) == (0, True)
    assert store.load_training_set("fraud").to_arrow().to_pylist() == local
    assert len(read_spine(str(tmp_path / "out"))) == len(local)


def test_rows_by_spark_are_printed_as_those_of_the_local_engine(tmp_path, spark, run):
    filled_shop(tmp_path)
    arguments = ["everything", "id=1,price=2,pieces=3", "--at", "1970-01-01T05:00:00Z"]
    options = ["--project", tmp_path, "--format", "csv"]

    printed = [
        run("historical", *arguments, *options, "--engine", engine)[:2]
        for engine in ("local", "spark")
    ]

    assert printed[0] == printed[1]
    assert printed[0][0] == 0


def test_the_engine_that_was_chosen_is_said(tmp_path, run):
    filled_shop(tmp_path)
    arguments = ["activity", "id=1", "--at", "1970-01-01T05:00:00Z", "--project", tmp_path]

    code, _, stderr = run("historical", *arguments, "--engine", "auto")

    assert (code, stderr.splitlines()[0].startswith("local: ")) == (0, True)


def test_a_wrong_engine_is_refused(tmp_path, run):
    filled_shop(tmp_path)

    code, _, stderr = run(
        "historical", "everything", "id=1", "--at", "1970-01-01T05:00:00Z", "--project", tmp_path,
        "--engine", "shuffel",
    )  # fmt: skip

    assert (code, "'shuffle'" in stderr) == (2, True)
