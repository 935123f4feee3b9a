"""The compaction of a feature table at the end of a run: too many small files are joined."""

from collections.abc import Callable

from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError
from featurestore.store.columns import sort_names
from featurestore.store.delta.compaction import compact, small_files
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.fault_points import fault_point


def compact_after_run(
    view: FeatureView, uri: str, limit: int, begin: Callable[[], None] = lambda: None
) -> str:
    """Join a table's small files if there are too many, and return a note for the run's message.

    The run has ended by then. So a failure is a part of its message only: the next run tries
    again.

    Args:
        view: The view. The caller holds its lock.
        uri: The address of its table.
        limit: The most small files; 0 for any number.
        begin: Called before files are joined.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at")
        >>> view = FeatureView("v", entities=(), source=paid, schema=())
        >>> compact_after_run(view, "no/such/table", limit=0)
        ''
    """
    if not limit:
        return ""
    try:
        if small_files(open_snapshot(uri)) <= limit:
            return ""
        begin()
        done = compact(uri, sort_names(view), most_commits=1)
        fault_point("table.compacted", view.name)
    except FeatureStoreError as error:
        return f"; its small files were not joined: {error.found}"
    return f"; joined {done.files_before} files to {done.files_after}"
