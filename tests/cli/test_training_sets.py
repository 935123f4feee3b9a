"""The verbs `training-set --save`, `training-sets` and `models`."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import featurestore as fs
from tests.client.lineage.test_training_sets import SPINE

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def spine(filled: fs.FeatureStore) -> Path:
    path = filled.settings.folder / "spine.parquet"
    pq.write_table(SPINE.drop_columns(["Id"]), path)
    return path


def test_rows_are_saved_and_listed(filled: fs.FeatureStore, spine: Path, run: Run) -> None:
    own = ("-p", filled.settings.folder)
    for _ in range(2):
        code, out, err = run(
            "training-set", "fraud", spine, "--label", "bought", "--save", "monthly", *own
        )
        assert (code, out) == (0, "")
        assert "monthly" in err

    code, out, _ = run("training-sets", "--json", *own)
    (listed,) = json.loads(out)["training_sets"]
    assert not {"schema", "profile"} & listed.keys()
    _, versions, _ = run("training-sets", "monthly", "--json", *own)
    _, table, _ = run("training-sets", *own)

    assert (code, listed["name"], listed["version"], listed["rows"]) == (0, "monthly", 1, 4)
    assert [each["version"] for each in json.loads(versions)["training_sets"]] == [0, 1]
    assert "monthly" in table


def test_rows_are_saved_and_written(filled: fs.FeatureStore, spine: Path, run: Run) -> None:
    out = filled.settings.folder / "out.parquet"
    code, _, _ = run(
        "training-set", "fraud", spine, "--label", "bought", "--save", "both", "--out", out,
        "-p", filled.settings.folder,
    )  # fmt: skip

    assert code == 0
    assert pq.read_table(out).num_rows == len(filled.load_training_set("both")) == 4


def test_where_nothing_is_saved_no_headings_are_printed(filled: fs.FeatureStore, run: Run) -> None:
    for verb in ("training-sets", "models"):
        code, out, err = run(verb, "-p", filled.settings.folder)

        assert (code, out) == (0, "")
        assert "0 results" in err


def test_a_wrong_name_is_wrong_usage(filled: fs.FeatureStore, spine: Path, run: Run) -> None:
    code, _, err = run(
        "training-set", "fraud", spine, "--label", "bought", "--save", "../x",
        "-p", filled.settings.folder,
    )  # fmt: skip

    assert code == 2
    assert "'../x'" in err


def test_models_are_listed(filled: fs.FeatureStore, run: Run) -> None:
    filled.get_training_set("fraud", SPINE, label="bought").save("monthly")
    filled.record_model("fraud_model", training_set="monthly", uri="models:/fraud/3")

    _, table, _ = run("models", "-p", filled.settings.folder)
    _, out, _ = run("models", "fraud_model", "--json", "-p", filled.settings.folder)
    code, _, err = run("models", "fraud_mode", "-p", filled.settings.folder)

    assert "models:/fraud/3" in table
    assert json.loads(out)["models"][0]["features"][0] == "profile:city"
    assert (code, "'fraud_model'" in err) == (2, True)
