"""The statistics of the features and the label of a frame."""

from collections.abc import Collection
from datetime import datetime

import pyarrow as pa

from featurestore.monitoring.columns import table_columns
from featurestore.monitoring.profile import Profile
from featurestore.monitoring.summary import table_summaries


def frame_profile(
    table: pa.Table,
    names: Collection[str],
    *,
    personal: Collection[str],
    name: str,
    at: datetime,
) -> Profile:
    """Return the statistics of columns of a table.

    Args:
        table: The rows.
        names: The columns, in the order of the result.
        personal: Those whose single values are not shown.
        name: The name of the training set.
        at: The moment of the profile.

    Example:
        >>> from datetime import UTC
        >>> at = datetime(2026, 1, 1, tzinfo=UTC)
        >>> rows = pa.table({"x": [1, 2, None]})
        >>> frame_profile(rows, ["x"], personal=(), name="churn", at=at).columns[0].nulls
        1
    """
    columns = tuple(table_columns(table.schema, names, personal))
    statistics = table_summaries(columns, table)
    return Profile(name, run_id="", build_id="", at=at, kind="training_set", columns=statistics)
