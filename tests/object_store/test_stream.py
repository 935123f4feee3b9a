"""`materialize --continuous` of a project in an object store: batches, status, and its end."""

from pathlib import Path

import pytest

import featurestore as fs
from featurestore.engines.spark.session.jars import package_jars
from tests.jobs.continuous.process import Process, amounts, batches
from tests.object_store.s3_server import S3Server
from tests.object_store.spark_program import payments, write_project

pytestmark = pytest.mark.integration


def test_new_rows_in_an_object_store_are_stored_continuously(
    tmp_path: Path, root: str, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    package_jars("s3")
    monkeypatch.setenv("EXAMPLE_ROOT", root)
    write_project(tmp_path)
    store = fs.FeatureStore(tmp_path)
    store.write_source("payments", payments(0, [1.0, 2.0]))
    store.apply(store.plan())

    with Process(tmp_path) as running:
        running.wait_for(lambda: batches(tmp_path, "activity") == 1)
        store.write_source("payments", payments(1, [10.0]))
        running.wait_for(lambda: batches(tmp_path, "activity") == 2)
        (during,), findings = store.status(), store.doctor()
        code = running.end()

    (after,) = store.status()
    assert (code, after.continuous, after.last_run) == (0, None, "done")
    assert during.continuous is not None
    assert (during.continuous.state.rows, during.continuous.lag_seconds) == (3, 0.0)
    assert amounts(tmp_path, "activity") == [2.0, 4.0, 20.0]
    assert findings == []
