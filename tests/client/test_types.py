"""The types of the public names hold where users call them: mypy checks a user's file."""

import re
from pathlib import Path

import pytest
from mypy import api

USERS_FILE = """
import pyarrow as pa
import featurestore as fs

rows = [{"id": 1}]
store = fs.FeatureStore("shop", memory_limit="2GB")
card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),))
label = fs.Label("claims", "*", "count", horizon="30d", immature="keep")

frame: fs.FeatureFrame = store.get_training_set("s", rows, label=label)
frame = store.get_training_set(["a:x"], rows, label="y", null_times="keep")
frame = store.get_historical_features("s", rows, timezone="Europe/Paris")
spread: fs.SparkFrame = store.get_training_set("s", rows, label="y", engine="spark")
spread = store.get_historical_features("s", rows, engine="shuffle")
frame = store.get_latest_features("s", rows)
table: pa.Table = store.sql("SELECT 1")
ok: bool = store.verify("s", sample=10, leakage=True).ok
states: list[str] = [view.state for view in store.status()]
train, test = frame.split_by_time("2026-01-01", gap="7d")
grid = fs.time_grid(rows, start="2026-01-01", end="2026-02-01", every="1d")

store.get_training_set("s", rows)  # wrong: call-overload
store.get_historical_features("s", rows, nonsense=True)  # wrong: call-overload
store.get_historical_features("s", rows, null_times="ignore")  # wrong: call-overload
store.get_latest_features(7, rows)  # wrong: arg-type
store.get_latest_feature("s", rows)  # wrong: attr-defined
store.verify("s", sample="10")  # wrong: arg-type
store.status()[0].status  # wrong: attr-defined
fs.FeatureStore("shop", memory=2)  # wrong: call-arg
fs.Label("claims", "*", "count")  # wrong: call-arg
fs.Label("claims", "*", "count", horizon="30d", immature="no")  # wrong: arg-type
fs.Entity("card", keys=())  # wrong: call-arg
fs.time_grid(rows, every="1d")  # wrong: call-arg
fs.NoSuchName  # wrong: attr-defined
"""


@pytest.mark.slow
def test_mypy_accepts_right_calls_and_rejects_each_wrong_one(tmp_path: Path) -> None:
    path = tmp_path / "users_file.py"
    path.write_text(USERS_FILE)
    wrong = re.compile(r"# wrong: (.+)")
    expected = {
        (number, found[1])
        for number, line in enumerate(USERS_FILE.splitlines(), 1)
        if (found := wrong.search(line))
    }

    config = ["--config-file", str(Path(__file__).parents[2] / "pyproject.toml")]
    output, problems, _ = api.run([*config, "--no-error-summary", "--no-pretty", str(path)])

    assert problems == ""
    reported = re.findall(r"users_file\.py:(\d+): error: .* \[([a-z-]+)\]", output)
    assert {(int(number), code) for number, code in reported} == expected, output
