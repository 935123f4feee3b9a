"""Whether a source has anything that a build has not read, seen without Spark."""

from featurestore.definitions.model.source import DeltaSource, KafkaSource
from featurestore.engines.spark.source.offsets import (
    last_batch,
    last_ended_batch,
    resume_version,
    seen_files,
    source_offset,
)
from featurestore.jobs.materialize.upstream import Upstream
from featurestore.store.delta.commit_files import changes_table, commit_actions
from featurestore.store.delta.log import latest_version
from featurestore.store.source_files import FilePath

# To read more commits than these takes longer than Spark needs.
_MOST_COMMITS = 1000


def is_unchanged(upstream: Upstream, checkpoint: str) -> bool:
    """Return whether all that a source has was read. False if that cannot be seen.

    Args:
        upstream: The table or files that the view is read from.
        checkpoint: The address of the stream's checkpoint.
    """
    last = last_batch(checkpoint)
    if last is None or last != last_ended_batch(checkpoint):
        return False  # nothing was read so far, or Spark must repeat a batch
    if isinstance(upstream.source, KafkaSource):
        return False  # only the broker knows
    if isinstance(upstream.source, DeltaSource):
        return _table_is_unchanged(upstream.uri, source_offset(checkpoint, last))
    return _files_are_unchanged(FilePath(upstream.uri), checkpoint)


def _table_is_unchanged(uri: str, offset: str | None) -> bool:
    first, newest = resume_version(offset), latest_version(uri)
    if first is None or newest is None or newest - first >= _MOST_COMMITS:
        return False
    commits = [commit_actions(uri, version) for version in range(first, newest + 1)]
    return all(actions is not None and not changes_table(actions) for actions in commits)


def _files_are_unchanged(path: FilePath, checkpoint: str) -> bool:
    if not path.exists or path.table_format is not None:
        return False
    # A renamed file has no new rows. A run records its name, so that a later change is seen.
    read = {path.name_of(file.path) for file in seen_files(checkpoint)}
    return all(file.name in read for file in path.files)
