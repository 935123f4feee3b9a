"""Stores and frames are pickled and copied: the copies answer and explain, also elsewhere."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest

import featurestore as fs
from featurestore.errors import SetupError
from tests.client.shop import HOUR, NOW

FEATURES = ["profile:city", "activity:amount_sum_2h"]


def now() -> Any:
    return NOW


def through_joblib(value: object, folder: Path) -> Any:
    joblib.dump(value, folder / "value.joblib")
    return joblib.load(folder / "value.joblib")


COPIES: dict[str, Callable[[object, Path], Any]] = {
    "pickle": lambda value, _: pickle.loads(pickle.dumps(value)),
    "copy": lambda value, _: copy.copy(value),
    "deepcopy": lambda value, _: copy.deepcopy(value),
    "joblib": through_joblib,
}
copied = pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)


@pytest.fixture
def used(filled: fs.FeatureStore) -> fs.FeatureStore:
    """A store with open tables and caches, and with a clock that can be pickled."""
    store = fs.FeatureStore(filled.settings.folder, clock=now, memory_limit="100MB")
    answer(store)
    return store


def answer(store: fs.FeatureStore) -> Any:
    at = pd.to_datetime([3 * HOUR, 4 * HOUR], unit="us", utc=True)
    rows = pd.DataFrame({"id": [1, 2], "event_timestamp": at}, index=[7, 3])
    return store.get_historical_features(FEATURES, rows)


@copied
def test_a_copy_of_a_used_store_answers_alike(used, tmp_path, again) -> None:
    other = again(used, tmp_path)

    assert other.settings == used.settings
    assert answer(other).to_arrow() == answer(used).to_arrow()
    assert other.status() == used.status()
    assert other.plan().changes == used.plan().changes
    assert other.get_latest_features(FEATURES, [{"id": 1}]).table == (
        used.get_latest_features(FEATURES, [{"id": 1}]).table
    )


@copied
def test_a_copy_of_a_frame_has_its_rows_and_explains_them(used, tmp_path, again) -> None:
    frame = answer(used)

    other = again(frame, tmp_path)

    assert other == frame
    pd.testing.assert_frame_equal(other.to_pandas(), frame.to_pandas())
    assert (other.versions, other.null_key_rows) == (frame.versions, frame.null_key_rows)
    assert [other.explain(0, name) for name in other.features] == [
        frame.explain(0, name) for name in frame.features
    ]


@copied
def test_a_copy_of_a_part_explains_its_own_rows(used, tmp_path, again) -> None:
    _, late = answer(used).split_by_time("1970-01-01T03:30:00Z")

    other = again(late, tmp_path)

    assert other.to_pandas().index.tolist() == [3]
    assert other.explain(0, "city") == late.explain(0, "city")


@copied
def test_a_copy_of_an_applied_version_has_its_definitions(used, tmp_path, again) -> None:
    [version] = used.history()

    other = again(version, tmp_path)

    assert other == version
    assert (other.document, other.manifest) == (version.document, version.manifest)


def test_the_session_of_a_store_is_not_copied(used) -> None:
    used._user_session = object()

    assert pickle.loads(pickle.dumps(used))._user_session is None
    with pytest.raises(SetupError) as error:
        pickle.loads(pickle.dumps(answer(used))).to_spark()

    assert "to_spark(spark)" in error.value.fix


def test_another_process_reads_what_was_pickled(used, tmp_path) -> None:
    store = fs.FeatureStore(used.settings.folder)
    (tmp_path / "store.pickle").write_bytes(pickle.dumps(store))
    (tmp_path / "frame.pickle").write_bytes(pickle.dumps(answer(store)))

    code = (
        "import pickle, sys, pathlib; at = pathlib.Path(sys.argv[1]);"
        "store = pickle.loads((at / 'store.pickle').read_bytes());"
        "frame = pickle.loads((at / 'frame.pickle').read_bytes());"
        "again = store.get_historical_features(list(['profile:city']), frame.table.select("
        "['id', 'event_timestamp']));"
        "print(again.table['city'].to_pylist(), frame.explain(0, 'city').value)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert run.stdout.split() == ["['b',", "None]", "b"]
