"""Features that are null, where a model needs a number in each row."""

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.errors import RequestError

_SHOWN = 3


def require_no_nulls(call: str, features: pa.Table) -> None:
    """Check that no feature is null or NaN.

    Args:
        call: The user's call, for messages.
        features: The feature columns.

    Raises:
        RequestError: Some are. It says which, in how many rows, and what to pass.

    Example:
        >>> require_no_nulls("to_spark(vector='v')", pa.table({"x": [1.0, 2.0]}))
    """
    counts = {name: _nulls(features[name]) for name in features.column_names}
    found = [f"{name} in {count:,}" for name, count in counts.items() if count]
    if found:
        others = f", and {len(found) - _SHOWN} features more" if len(found) > _SHOWN else ""
        raise RequestError(
            call,
            f"of {features.num_rows:,} rows, features are null: "
            f"{', '.join(found[:_SHOWN])}{others}",
            'Pass nulls="keep" to get NaN for them, or nulls="skip" to leave these rows out.',
        )


def _nulls(column: pa.ChunkedArray) -> int:
    return int(pc.sum(pc.is_null(column, nan_is_null=True)).as_py() or 0)
