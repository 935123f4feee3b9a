"""Made-up rows, on which a check must answer for each row by itself."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal as Number
from functools import singledispatch
from itertools import cycle, islice
from typing import Any

import pyarrow as pa

from featurestore.definitions.model import types as t
from featurestore.definitions.model.view import FeatureView
from featurestore.optional import optional
from featurestore.quality.checks import RowChecks
from featurestore.quality.column_types import column_types
from featurestore.store.columns import arrow_type

_ROWS = 12
_DAYS = (date(2026, 1, 1), date(1969, 7, 1), date(2026, 1, 2), None)
_SCALARS: dict[t.Scalar, tuple[Any, ...]] = {
    t.Int32: (3, -7, 0, None, 90_000, 1),
    t.Int64: (3, -7, 0, None, 90_000, 1),
    t.Float32: (0.5, -2.0, 0.0, None, 90_000.0, 1.0),
    t.Float64: (0.5, -2.0, 0.0, None, 90_000.0, 1.0),
    t.Boolean: (True, False, None),
    t.String: ("a", "bc", "", None, "Z9"),
    t.Timestamp: tuple(day and datetime(*day.timetuple()[:3], tzinfo=UTC) for day in _DAYS),
    t.Date: _DAYS,
    t.Binary: (b"a", b"", None),
}


def dependent_checks(view: FeatureView, checks: RowChecks) -> Iterator[str]:
    """Yield the names of checks whose answer for a row depends on other rows, or on chance.

    A check that raises an error on the made-up rows is not judged.

    Args:
        view: The view.
        checks: Its checks.
    """
    polars = optional("polars", checks.call, extra="quality")
    columns = {
        name: pa.array(islice(cycle(_values(dtype)), _ROWS), arrow_type(dtype))
        for name, dtype in column_types(view).items()
    }
    rows = polars.from_arrow(pa.table(columns))
    for check in checks.checks:
        if check.position is not None:
            parts = checks.schema if check.column is None else checks.schema.columns[check.column]
            if _is_dependent(parts.checks[check.position], check.column, rows):
                yield check.name


def _is_dependent(check: Any, column: str | None, rows: Any) -> bool:
    try:
        together = _answers(check, column, rows)
        if len(together) != _ROWS:
            return True
        alone = [_answers(check, column, rows.slice(i, 1)) for i in range(_ROWS)]
    except Exception:  # noqa: BLE001  # a check of the user may raise anything on these rows
        return False
    return together != [answer for each in alone for answer in each]


def _answers(check: Any, column: str | None, rows: Any) -> list[bool]:
    return list(check(rows.lazy(), column).check_output.collect().to_series())


@singledispatch
def _values(dtype: t.DataType) -> tuple[Any, ...]:
    raise TypeError(dtype)


@_values.register
def _(dtype: t.Scalar) -> tuple[Any, ...]:
    return _SCALARS[dtype]


@_values.register
def _(dtype: t.Decimal) -> tuple[Any, ...]:
    least = Number(1).scaleb(-dtype.scale)
    return (least, -least, Number(0), None, least * 9)


@_values.register
def _(dtype: t.Array) -> tuple[Any, ...]:
    values = list(_values(dtype.item))
    return (values[:1], [], None, values)


@_values.register
def _(dtype: t.Map) -> tuple[Any, ...]:
    keys = [key for key in _values(dtype.key) if key is not None]
    return ([(keys[0], _values(dtype.value)[0])], [], None)
