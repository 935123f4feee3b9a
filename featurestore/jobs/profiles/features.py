"""Statistics of window features: the answers of a sample of keys, by the engine in process.

Each key has the moment when its newest row could be known. As of now, the windows of a
table with old rows are empty, and at any one moment those of most keys are: neither would say how
the features are distributed when a model sees them.
"""

import random
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.bind import bind
from featurestore.engines.retrieval.answer import answer
from featurestore.monitoring.columns import personal_features, table_columns
from featurestore.monitoring.profile import ColumnProfile
from featurestore.monitoring.summary import table_summaries
from featurestore.query.compile import compile_view
from featurestore.query.nodes import Query
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME, UTC_MICROS
from featurestore.store.delta.files import open_file
from featurestore.store.delta.snapshot import Snapshot

MOST_KEYS = 10_000
"""The number of keys in the sample."""
_MOST_FILES = 10
_ROW_GROUPS = 10
_MEMORY = 1 << 30


def window_features(
    view: FeatureView, snapshot: Snapshot, now: datetime
) -> tuple[ColumnProfile, ...]:
    """Return the statistics of a view's window features.

    Args:
        view: A view with aggregations.
        snapshot: Its table.
        now: The latest moment of a key.

    Returns:
        The statistics of each feature; none if the view has no keys, or the table has no row.

    Raises:
        FeatureStoreError: The answers need more than 1 GB, or a sum does not fit its type.
    """
    spine = _sampled_keys(view, snapshot, now)
    if spine is None or not spine.num_rows:
        return ()
    query = Query(f"profile of view {view.name!r}", (compile_view(view),))
    bound = bind(query, spine)
    answers = answer(query, bound, {view.name: snapshot}, memory_limit=_MEMORY)
    columns = tuple(table_columns(answers.schema, answers.column_names, personal_features(view)))
    return table_summaries(columns, answers)


def _sampled_keys(view: FeatureView, snapshot: Snapshot, now: datetime) -> pa.Table | None:
    """Return different keys of the table with their moments, from its newest files.

    PERF: a footer is read of a few files only: in an object store, each is a request. The sample
    of one table version is always the same.
    """
    names = [key.name for key in view.join_keys]
    if not names:
        return None
    chance = random.Random(snapshot.version)
    files = [open_file(snapshot, path) for path in _newest_files(snapshot)]
    groups = [(file, group) for file in files for group in range(file.data.num_row_groups)]
    chosen = chance.sample(groups, min(_ROW_GROUPS, len(groups)))
    if not chosen:
        return None
    times = [name for name in (EVENT_TIME, AVAILABLE_TIME) if name in snapshot.schema.names]
    rows = pa.concat_tables([file.read([group], [*names, *times]) for file, group in chosen])
    newest = rows.group_by(names).aggregate([(name, "max") for name in times])
    keys = newest.select(names).append_column(EVENT_TIME, _moments(view, newest, now))
    if keys.num_rows <= MOST_KEYS:
        return keys
    return keys.take(pa.array(sorted(chance.sample(range(keys.num_rows), MOST_KEYS))))


def _newest_files(snapshot: Snapshot) -> list[str]:
    """Return the files that were written last, until they have enough rows."""
    columns = (snapshot.files[name].to_pylist() for name in ("modification_time", "path"))
    order = sorted(zip(*columns, snapshot.files["num_records"].to_pylist(), strict=True))
    newest: list[str] = []
    rows = 0
    for _, path, count in reversed(order):
        if rows >= MOST_KEYS or len(newest) == _MOST_FILES:
            break
        newest.append(path)
        rows += count or 0
    return newest


def _moments(view: FeatureView, newest: pa.Table, now: datetime) -> pa.Array:
    """Return the moment after the newest row of each key could be known, and at most now."""
    known = pc.add(_micros(newest[f"{EVENT_TIME}_max"]), view.total_available_delay)
    if f"{AVAILABLE_TIME}_max" in newest.column_names:
        known = pc.max_element_wise(known, _micros(newest[f"{AVAILABLE_TIME}_max"]))
    after = pc.add(known, 1)  # a window ends before its moment
    return pc.min_element_wise(after, _micros(pa.scalar(now, UTC_MICROS))).cast(UTC_MICROS)


def _micros(times: pa.Scalar | pa.ChunkedArray) -> pa.Scalar | pa.ChunkedArray:
    """Return times as numbers: Arrow has no greatest of two times."""
    return times.cast(pa.int64())
