"""Saved training sets: each save is a version, and it comes back as it was."""

import copy
import json
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.client.lineage.training_sets import saved_profile
from featurestore.errors import NotFoundError, RequestError, TableError
from featurestore.store.delta.log import commits
from tests.client.conftest import filled, store
from tests.client.shop import NOW, at

__all__ = ["filled", "store"]

SPINE = pa.table(
    {
        "id": pa.array([1, 2, 1, None], pa.int64()),
        "event_timestamp": [at(4), at(4), at(2), at(4)],
        "Id": pa.array([7, 8, None, 9], pa.uint16()),
        "bought": [1, 0, 1, 0],
    }
)


@pytest.fixture
def frame(filled: fs.FeatureStore) -> fs.FeatureFrame:
    return filled.get_training_set("fraud", SPINE, label="bought")


def test_a_saved_training_set_comes_back_as_it_was(
    filled: fs.FeatureStore, frame: fs.FeatureFrame
) -> None:
    saved = frame.save("fraud_2026_01")

    again = filled.load_training_set("fraud_2026_01")

    assert saved.version == 0
    assert again.table.equals(frame.table, check_metadata=True)
    assert (again.features, again.label, again.versions) == (
        frame.features, frame.label, frame.versions,
    )  # fmt: skip
    assert again.null_key_rows == frame.null_key_rows
    assert [len(part) for part in again.split_by_time("1970-01-01T03:00:00Z")] == [1, 3]


def test_a_training_set_of_a_delta_spine_comes_back_in_its_order(
    filled: fs.FeatureStore, tmp_path: Path
) -> None:
    names = pa.table({"name": ["a", "b", None, "d"], "b": [b"1", None, b"3", b"4"]})
    spine = SPINE.drop_columns("Id")
    for name in names.column_names:
        spine = spine.append_column(name, names[name])
    for row in range(spine.num_rows):  # several files, which come in another order
        write_deltalake(tmp_path / "spine", spine.slice(row, 1), mode="append")

    frame = filled.get_training_set("fraud", str(tmp_path / "spine"), label="bought")
    frame.save("of_delta")
    again = filled.load_training_set("of_delta")

    assert again.to_arrow().equals(frame.to_arrow())
    assert frame.to_arrow().select(spine.column_names).schema.types == spine.schema.types
    assert frame.to_arrow().sort_by("name")["name"].to_pylist() == ["a", "b", "d", None]


def test_a_save_notes_what_the_rows_are_made_from(
    filled: fs.FeatureStore, frame: fs.FeatureFrame
) -> None:
    frame.save("fraud_2026_01")

    (saved,) = filled.training_sets()

    assert (saved.selection, saved.services) == (("fraud",), ("fraud",))
    assert [(each.column, each.view, each.feature) for each in saved.features] == [
        ("city", "profile", "city"),
        ("amount_sum_2h", "activity", "amount_sum_2h"),
        ("amount_sum_lifetime", "activity", "amount_sum_lifetime"),
        ("count_2h", "activity", "count_2h"),
        ("spot_euro", "rate", "euro"),
    ]
    assert {name: (pin.table_id, pin.version) for name, pin in saved.views.items()} == {
        "profile": ("profile-1", 0), "activity": ("activity-1", 1), "rate": ("rate-1", 0),
    }  # fmt: skip
    assert (saved.rows, saved.columns, saved.label) == (4, 9, "bought")
    assert (saved.registry_version, saved.created_at) == (1, NOW)
    assert saved.featurestore_version == fs.__version__
    assert saved.created_by


def test_a_save_notes_the_statistics_of_its_columns(
    filled: fs.FeatureStore, frame: fs.FeatureFrame
) -> None:
    frame.save("fraud_2026_01")

    profile = saved_profile(filled.training_sets()[0])

    assert profile == frame.profile("fraud_2026_01", at=NOW)
    assert filled.load_training_set("fraud_2026_01").profile("fraud_2026_01", at=NOW) == profile
    (saved,) = filled.training_sets()
    for damaged in ("", "[", '[{"column": 1}]'):
        assert saved_profile(replace(saved, profile=damaged)) is None


def test_each_save_is_a_version_of_its_own(
    filled: fs.FeatureStore, frame: fs.FeatureFrame
) -> None:
    train, test = frame.split_by_time("1970-01-01T03:00:00Z")
    versions = [part.save("parts").version for part in (frame, train, test)]

    assert versions == [0, 1, 2]
    assert [len(filled.load_training_set("parts", version)) for version in versions] == [4, 1, 3]
    assert [each.rows for each in filled.training_sets("parts")] == [4, 1, 3]
    assert len(filled.load_training_set("parts")) == 3


def test_other_columns_can_be_saved_under_the_same_name(filled: fs.FeatureStore) -> None:
    for names in (["profile"], ["rate:euro"]):
        filled.get_training_set(names, SPINE, label="bought").save("mixed")

    assert filled.load_training_set("mixed", 0).features == ("city",)
    assert filled.load_training_set("mixed", 1).features == ("euro",)


def test_equal_spines_have_equal_digests(filled: fs.FeatureStore) -> None:
    def digest(spine: pa.Table, features: str = "fraud") -> str:
        frame = filled.get_training_set(features, spine, label="bought")
        return frame.save("digests").spine_digest

    halves = pa.concat_tables([SPINE.slice(0, 1), SPINE.slice(1)])

    assert digest(SPINE) == digest(halves) == digest(SPINE, "profile")
    assert digest(SPINE) != digest(SPINE.slice(1))
    assert digest(SPINE) != digest(SPINE.set_column(3, "bought", pa.array([1, 0, 1, 1])))


def test_historical_features_are_saved_without_a_label(filled: fs.FeatureStore) -> None:
    frame = filled.get_historical_features("fraud", SPINE)

    assert frame.save("scoring").label is None
    assert filled.load_training_set("scoring").table == frame.table


@pytest.mark.parametrize("name", ["../x", "a/b", "", "1a", "a b", ".x", "x" * 64, "a%2e"])
def test_a_name_cannot_leave_the_folder(frame: fs.FeatureFrame, name: str) -> None:
    with pytest.raises(RequestError) as caught:
        frame.save(name)

    assert caught.value.call == f"save({name!r})"


def test_a_name_that_differs_only_in_case_is_refused(frame: fs.FeatureFrame) -> None:
    frame.save("Fraud")

    with pytest.raises(RequestError) as caught:
        frame.save("fraud")

    assert "'Fraud'" in caught.value.fix


def test_an_unknown_name_or_version_offers_near_ones(
    filled: fs.FeatureStore, frame: fs.FeatureFrame
) -> None:
    frame.save("fraud_2026_01")

    for call in (
        lambda: filled.load_training_set("fraud_2026_10"),
        lambda: filled.training_sets("fraud_2026_10"),
    ):
        with pytest.raises(NotFoundError) as caught:
            call()
        assert "'fraud_2026_01'" in caught.value.fix
    with pytest.raises(NotFoundError) as caught:
        filled.load_training_set("fraud_2026_01", 3)
    assert caught.value.fix.endswith(": 0.")
    with pytest.raises(NotFoundError):
        filled.load_training_set("../../etc")


def test_a_frame_of_latest_values_is_not_saved(filled: fs.FeatureStore) -> None:
    with pytest.raises(RequestError):
        filled.get_latest_features("profile", [{"id": 1}]).save("now")


def test_a_pickled_frame_can_be_saved(filled: fs.FeatureStore, frame: fs.FeatureFrame) -> None:
    for each in (pickle.loads(pickle.dumps(frame)), copy.copy(frame)):
        each.save("copies")

    assert len(filled.training_sets("copies")) == 2


def test_saves_at_the_same_time_get_a_version_each(
    filled: fs.FeatureStore, frame: fs.FeatureFrame
) -> None:
    parts = [frame._where(pa.chunked_array([[n < count for n in range(4)]])) for count in range(5)]
    with ThreadPoolExecutor(5) as pool:
        saved = list(pool.map(lambda part: part.save("race"), parts))

    assert sorted(each.version for each in saved) == [0, 1, 2, 3, 4]
    for each in saved:
        assert len(filled.load_training_set("race", each.version)) == each.rows


def test_an_interrupted_save_leaves_nothing_to_see(
    filled: fs.FeatureStore, frame: fs.FeatureFrame
) -> None:
    folder = Path(filled.layout.training_set("half"))
    folder.mkdir(parents=True)
    pq.write_table(SPINE, folder / "part-0.parquet")  # what is there before the commit

    assert filled.training_sets() == []
    with pytest.raises(NotFoundError):
        filled.load_training_set("half")
    assert frame.save("half").version == 0
    assert filled.load_training_set("half").table == frame.table


@pytest.mark.slow
def test_a_killed_process_leaves_whole_versions_only(
    filled: fs.FeatureStore, frame: fs.FeatureFrame, tmp_path: Path
) -> None:
    (tmp_path / "frame.pickle").write_bytes(pickle.dumps(frame))
    program = (
        "import pickle, sys; frame = pickle.load(open(sys.argv[1], 'rb'))\n"
        "while True: print(frame.save('killed').version, flush=True)"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "frame.pickle")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        for _ in range(3):
            process.stdout.readline()
        process.kill()

    versions = filled.training_sets("killed")

    assert len(versions) >= 3
    for each in versions:
        assert filled.load_training_set("killed", each.version).table == frame.table
    assert frame.save("killed").version == len(versions)


def test_a_damaged_one_is_listed_with_its_error_beside_the_others(
    filled: fs.FeatureStore, frame: fs.FeatureFrame
) -> None:
    for name in ("good", "bad", "noteless"):
        frame.save(name)
    log = Path(filled.layout.training_set("bad"), "_delta_log", f"{0:020}.json")
    log.write_text("{")
    log = Path(filled.layout.training_set("noteless"), "_delta_log", f"{0:020}.json")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        line.get("commitInfo", {}).pop("userMetadata", None)
    log.write_text("\n".join(json.dumps(line) for line in lines))

    errors = {each.name: each.error for each in filled.training_sets()}

    assert errors["good"] is None
    assert errors["bad"] and errors["noteless"]
    for name in ("bad", "noteless"):
        with pytest.raises(TableError):
            filled.load_training_set(name)


def test_a_copied_folder_is_a_training_set_of_its_own(
    filled: fs.FeatureStore, frame: fs.FeatureFrame
) -> None:
    frame.save("first")
    folder = Path(filled.layout.training_sets())
    shutil.copytree(folder / "first", folder / "backup")
    shutil.rmtree(folder / "first")
    filled.get_training_set("rate", SPINE, label="bought").save("first")

    assert [each.name for each in filled.training_sets()] == ["backup", "first"]
    assert filled.load_training_set("backup").table == frame.table
    assert filled.load_training_set("first").features == ("euro",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rows", "abc"), ("rows", True), ("label", 1), ("services", [1]), ("features", [["a"]]),
        ("views", {"v": ["t", "1", []]}), ("label_timing", ["1", 2]), ("created_at", None),
    ],
)  # fmt: skip
def test_a_version_with_damaged_notes_is_no_older_one(
    filled: fs.FeatureStore, frame: fs.FeatureFrame, name: str, value: object
) -> None:
    for _ in range(2):
        frame.save("mine")
    log = Path(filled.layout.training_set("mine"), "_delta_log", f"{1:020}.json")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if noted := line.get("commitInfo", {}).get("userMetadata"):
            line["commitInfo"]["userMetadata"] = json.dumps(json.loads(noted) | {name: value})
    log.write_text("\n".join(json.dumps(line) for line in lines))

    assert [(each.version, bool(each.error)) for each in filled.training_sets("mine")] == [
        (0, False), (1, True),
    ]  # fmt: skip
    assert [(each.version, bool(each.error)) for each in filled.training_sets()] == [(1, True)]
    for version in (None, 1):
        with pytest.raises(TableError):
            filled.load_training_set("mine", version)
    assert filled.load_training_set("mine", 0).table == frame.table


def test_a_file_outside_of_the_folder_is_never_read(
    filled: fs.FeatureStore, frame: fs.FeatureFrame
) -> None:
    frame.save("mine")
    log = Path(filled.layout.training_set("mine"), "_delta_log", f"{0:020}.json")
    path = next(Path(filled.layout.training_set("mine")).glob("*.parquet")).name
    log.write_text(log.read_text().replace(path, f"../{path}"))

    with pytest.raises(TableError):
        filled.load_training_set("mine")


def test_maintenance_and_the_doctor_leave_old_versions(
    filled: fs.FeatureStore, frame: fs.FeatureFrame
) -> None:
    for _ in range(3):
        frame.save("kept")
    filled.record_model("model", training_set="kept")

    assert {each.error for each in filled.maintain(retention="1h")} == {None}
    assert "kept" not in str(filled.doctor())
    assert [len(filled.load_training_set("kept", version)) for version in range(3)] == [4, 4, 4]
    assert [commit.version for commit in commits(filled.layout.training_set("kept"))] == [0, 1, 2]
    assert [each.name for each in filled.models()] == ["model"]
