"""The failures of a run. A cause that only one kind of source has is named."""

import re
from functools import singledispatch

from featurestore.definitions.model.source import DeltaSource, KafkaSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.kafka import kafka_failure
from featurestore.engines.spark.errors.transport import received_error
from featurestore.engines.spark.errors.unwrap import SparkFailure, failure
from featurestore.errors import FeatureStoreError, SourceError

# Spark's errors for versions whose changes were never recorded, or were removed by a clean-up.
_GONE = re.compile(
    r"DELTA_MISSING_CHANGE_DATA|DELTA_CHANGE_DATA_FILE_NOT_FOUND|DELTA_VERSION_NOT_FOUND"
    r"|DELTA_LOG_FILE_NOT_FOUND|DELTA_TRUNCATED_TRANSACTION_LOG|FAILED_READ_FILE.FILE_NOT_EXIST"
)


def run_failure(error: SparkFailure, view: FeatureView) -> FeatureStoreError:
    """Return featurestore's error for one of Spark's in a run of the view.

    If changes are missing from a change feed, or messages from a topic, the error says so.

    Args:
        error: Spark's error.
        view: The view.
    """
    call = f"materialize view {view.name!r} ({view.origin})"
    problem = _source_problem(view.source, error, view.name, call)
    return failure(error, call, view.name) if problem is None else problem


@singledispatch
def _source_problem(
    source: object, error: SparkFailure, view: str, call: str
) -> FeatureStoreError | None:
    """Return what is wrong with the source; None if the failure does not say so."""
    return None


@_source_problem.register
def _(source: KafkaSource, error: SparkFailure, view: str, call: str) -> FeatureStoreError | None:
    is_ours = received_error(error, call) is not None
    return None if is_ours else kafka_failure(str(error), view, source)


@_source_problem.register
def _(source: DeltaSource, error: SparkFailure, view: str, call: str) -> FeatureStoreError | None:
    gone = _GONE.search(str(error)) if source.change_feed else None
    if gone is None:
        return None
    return SourceError(
        call,
        f"the change feed of source {source.name!r} no longer has all changes since the last run "
        f"({gone[0]})",
        f"Rebuild the view with `featurestore materialize {view} --full`. To prevent this, make "
        "the source table's delta.deletedFileRetentionDuration and "
        "delta.logRetentionDuration longer than the time between runs.",
    )
