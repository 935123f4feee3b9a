"""A project in an object store with Spark: s3a writes what delta-rs and Spark's tasks read."""

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import obstore
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from obstore.store import from_url

import featurestore as fs
from featurestore.engines.spark.session.jars import package_jars
from tests.effort import rounds
from tests.object_store.s3_server import SECRET_KEY, S3Server
from tests.object_store.spark_program import payments, write_project

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
SECONDS = 600
DESCRIPTIONS = (b'{"metaData"', b'{"protocol"')
"""How the lines of a commit begin that only a table's first commit has."""
SLEEP = "data.committed=sleep:600"


@pytest.fixture
def project(tmp_path: Path, root: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    package_jars("s3")
    monkeypatch.setenv("EXAMPLE_ROOT", root)
    folder = tmp_path / "project"
    folder.mkdir()
    write_project(folder)
    return folder


def start(*command: str, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*command: str, **variables: str) -> tuple[int, str, str]:
    with start(*command, **variables) as process:
        out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def objects(root: str) -> list[bytes]:
    """Return the contents of all objects below an address that are not empty."""
    store = from_url(root)
    paths = [meta["path"] for batch in obstore.list(store) for meta in batch if meta["size"]]
    return [bytes(obstore.get(store, path).bytes()) for path in paths]


def feature_table(root: str) -> str:
    """Return the address of the only feature table."""
    folder = "store/shop/features/activity"
    paths = [meta["path"] for batch in obstore.list(from_url(root), folder) for meta in batch]
    (name,) = {path.removeprefix(f"{folder}/").split("/")[0] for path in paths}
    return f"{root}/{folder}/{name}"


def test_two_runs_and_their_answers_by_each_engine(project: Path, root: str, s3: S3Server) -> None:
    code, out, err = run("tests.object_store.spark_program", str(project))

    assert code == 0, err[-3000:]
    found = json.loads(out)
    assert found["runs"] == [["done"], ["done"], ["nothing"]]
    assert found["states"] == [["current", 5]]
    assert found["findings"] == []
    assert found["local"] == found["spark"] == found["shuffle"] == [28.0, 44.0, None]
    # Neither the secret nor the value of the root's reference is in what the runs leave.
    left = [each.read_bytes() for each in project.rglob("*") if each.is_file()]
    left += [*objects(root), out.encode(), err.encode()]
    assert len(left) > 50
    assert not any(SECRET_KEY.encode() in each for each in left)
    # Only Spark's commits are without a condition: of feature tables, under the lease.
    puts = [each for each in s3.requests() if each["method"] == "PUT"]
    commits = [each for each in puts if re.search(r"_delta_log/\d{20}\.json$", each["path"])]
    without = [each["path"] for each in commits if not each["condition"]]
    ledgers = [
        each for each in commits if re.search(r"/store/shop/(registry|runs)/", each["path"])
    ]
    assert ledgers and all(each["condition"] for each in ledgers)
    assert {path.split("/store/shop/")[1].split("/")[0] for path in without} <= {
        *("features", "latest", "quarantine"),
    }


def test_a_second_process_is_told_who_is_at_work_and_goes_on_after_a_kill(project: Path) -> None:
    folder = str(project)
    write = (
        "import sys, featurestore as fs; from tests.object_store.spark_program import payments\n"
    )
    write += "fs.FeatureStore(sys.argv[1]).write_source('payments', payments(0, [1.0, 2.0, 3.0]))"
    subprocess.run([sys.executable, "-c", write, folder], cwd=ROOT, check=True, timeout=SECONDS)
    assert verb("apply", "--yes", "-p", folder)[0] == 0

    # The first process sleeps after its commit, while it holds the lock, and is killed then.
    with start(*VERB, "materialize", "-p", folder, FEATURESTORE_FAULTS=SLEEP) as first:
        impatient = threading.Timer(SECONDS, first.kill)
        impatient.start()
        try:
            assert any("data.committed" in line for line in first.stderr or ())
            code, _, err = verb("materialize", "-p", folder)
            assert (code, f"pid {first.pid}" in re.sub(r"\s+", " ", err)) == (5, True)
        finally:
            impatient.cancel()
            first.kill()

    code, _, err = verb("materialize", "-p", folder)
    assert code == 0, err[-3000:]
    code, out, _ = verb("status", "-p", folder, "--json")
    (state,) = json.loads(out)["status"]
    assert (state["state"], state["rows"]) == ("current", 3)
    assert verb("doctor", "-p", folder)[0] == 0


def test_two_writers_store_each_row_once(project: Path, root: str) -> None:
    folder, each_round = str(project), rounds(2, 30)
    with fs.FeatureStore(folder) as store:
        store.write_source("payments", payments(0, [1.0, 2.0]))
        store.apply(store.plan())

        writers = [start(*WRITER, folder, str(number), str(each_round)) for number in range(2)]
        ended = [(*each.communicate(timeout=SECONDS * each_round), each) for each in writers]

        findings = [str(each) for each in store.doctor()]
    assert [each.returncode for _, _, each in ended] == [0, 0], ended[0][1][-3000:]
    statuses = [status for out, _, _ in ended for status in json.loads(out)]
    assert {*statuses} <= {"done", "nothing"}
    stored = pa.table(DeltaTable(feature_table(root)).scan(columns=["card_id", "amount"]))
    own = [(f"w{number}", 2.0 * each) for number in range(2) for each in range(each_round)]
    rows = zip(*(stored[name].to_pylist() for name in stored.column_names), strict=True)
    assert sorted(rows) == sorted([("c0", 2.0), ("c1", 4.0), *own])
    assert findings == []


def test_a_commit_that_another_writer_overwrote_is_found(project: Path, root: str) -> None:
    folder = str(project)
    code, _, err = run("tests.object_store.spark_program", folder)
    assert code == 0, err[-3000:]
    log = from_url(f"{feature_table(root)}/_delta_log")
    paths = sorted(meta["path"] for batch in obstore.list(log) for meta in batch)
    commits = [path for path in paths if re.fullmatch(r"\d{20}\.json", path)]
    texts = [bytes(obstore.get(log, path).bytes()) for path in commits]
    before, newest = (number for number, text in enumerate(texts) if b'"add"' in text)
    lines = [line for line in texts[before].splitlines() if not line.startswith(DESCRIPTIONS)]
    obstore.put(log, commits[newest], b"\n".join(lines))

    with fs.FeatureStore(folder) as store:
        findings = {each.code for each in store.doctor()}

    assert findings & {"D301", "D303", "D304"}


VERB = ("tests.object_store.verb",)
WRITER = ("tests.object_store.writer_program",)


def verb(*arguments: str) -> tuple[int, str, str]:
    return run(*VERB, *arguments)
