"""The end of a run is a result, also where the ledger of runs cannot be written."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Int64
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import SourceError
from featurestore.jobs.materialize.job import Job
from featurestore.jobs.materialize.record import RunLog
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Runs

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
VIEW = FeatureView(
    "v",
    entities=(),
    source=DeltaSource("paid", path="paid", timestamp_field="at"),
    schema=(Field("x", Int64),),
)
ERROR = SourceError("materialize view 'v'", "the source is gone", "Create it.")


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    manifest = Manifest.of([VIEW])
    job = Job(
        Layout(str(tmp_path / "store")),
        applied=lambda: manifest,
        loaded=lambda: manifest,
        spark=lambda: pytest.fail("no session is needed"),
        clock=lambda: NOON,
    )
    return RunLog(job, view=VIEW, run_id="r1")


def block(log: RunLog) -> None:
    """Put a file where the ledger of runs would be."""
    Path(log.job.layout.root).mkdir(parents=True)
    Path(log.job.layout.root, "runs").write_text("no folder")


def test_a_failure_is_recorded_with_its_error(log: RunLog) -> None:
    result = log.fail(ERROR, "failed")

    assert (result.status, result.error) == ("failed", ERROR)
    [recorded] = Runs(log.job.layout).records("v")
    assert (recorded.status, recorded.outcome.error) == ("failed", str(ERROR))


def test_a_failure_that_cannot_be_recorded_is_a_result_that_says_both(log: RunLog) -> None:
    block(log)

    result = log.fail(ERROR, "failed")

    assert result.status == "failed"
    assert isinstance(result.error, SourceError)
    assert "the source is gone" in result.error.found
    assert "Not a directory" in result.error.found
    assert result.error.fix == ERROR.fix


def test_a_skipped_view_that_cannot_be_recorded_is_a_result(log: RunLog) -> None:
    block(log)

    result = log.skip("its upstream view failed")

    assert result.status == "skipped"
    assert "its upstream view failed" in result.message
