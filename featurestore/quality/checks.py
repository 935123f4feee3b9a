"""`RowChecks`: a view's expectations as a function on Arrow tables, for Spark's tasks."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.definitions.code.expectations import RowCheck
from featurestore.errors import MaterializationError
from featurestore.optional import optional

Mask = npt.NDArray[np.bool_]


class Verdict(NamedTuple):
    """What is wrong with each row.

    Attributes:
        reasons: A list of names for each row: the checks that keep it out of the table. Null for
            a good row.
        warnings: The same for checks of severity ``warn``, which do not keep it out.
    """

    reasons: pa.Array
    warnings: pa.Array


@dataclass(frozen=True)
class RowChecks:
    """A view's expectations. It is plain data, because Spark pickles it.

    Args:
        call: The operation, for messages.
        schema: A `DataFrameSchema` of ``pandera.polars`` that only checks rows, by
            `quality.schema.polars_schema`.
        checks: The checks of the schema.
        columns: The stored name of each column by the name that the schema uses.
    """

    call: str
    _: KW_ONLY
    schema: Any
    checks: tuple[RowCheck, ...]
    columns: Mapping[str, str]

    def evaluate(self, rows: pa.Table) -> Verdict:
        """Return what is wrong with each row.

        Args:
            rows: Rows with the stored columns of `columns`.

        Raises:
            MaterializationError: A check raised an error, or does not answer for each row.
        """
        failed = self.failed(rows)
        kept_out = {
            each.name: failed[each.name] for each in self.checks if each.severity != "warn"
        }
        warned = {each.name: failed[each.name] for each in self.checks if each.severity == "warn"}
        return Verdict(_names(kept_out, rows.num_rows), _names(warned, rows.num_rows))

    def failed(self, rows: pa.Table) -> dict[str, Mask]:
        """Return which rows fail each check.

        A null passes each check but ``not_null``, unless the check has ``ignore_na=False``. NaN
        fails ``not_null`` and each other check of its column.

        Args:
            rows: Rows with the stored columns of `columns`.

        Raises:
            MaterializationError: A check raised an error, or does not answer for each row.
        """
        renamed = rows.select(list(self.columns.values())).rename_columns(list(self.columns))
        errors = _schema_errors(self.schema, renamed) if rows.num_rows else []
        failed = {}
        for error in errors:
            check = self._check_of(error)
            failed[check.name] = self._failing_rows(check, error, rows.num_rows)
        nan = {name: _is_nan(renamed[name]) for name in _checked(self.checks) if rows.num_rows}
        return {
            each.name: _either(failed.get(each.name), nan.get(each.column or ""), rows.num_rows)
            for each in self.checks
        }

    def _check_of(self, error: Any) -> RowCheck:
        column = error.column_name
        for each in self.checks:
            if (each.column, each.position) == (column, error.check_index):
                return each
        raise MaterializationError(
            self.call,
            f"the rows do not fit the schema: {_first_line(error)}",
            "Correct the schema, or the columns of the view.",
        )

    def _failing_rows(self, check: RowCheck, error: Any, count: int) -> Mask:
        output = error.check_output
        if output is None:
            raise MaterializationError(
                self.call,
                f"check {check.name!r} raised an error: {_first_line(error)}",
                "Correct the check, so that it answers for each row.",
            )
        if output.height != count:
            raise MaterializationError(
                self.call,
                f"check {check.name!r} gave {output.height} answers for {count} rows",
                "Write a check that answers for each row by itself.",
            )
        good: Mask = output.to_series().to_numpy().astype(bool)
        return ~good


def _schema_errors(schema: Any, rows: pa.Table) -> list[Any]:
    """Return pandera's errors for the rows, whatever the settings of its environment say."""
    call = "check expectations"
    polars = optional("polars", call, extra="quality")
    config = optional("pandera.config", call, extra="quality")
    errors = optional("pandera.errors", call, extra="quality")
    context = config.config_context(
        validation_enabled=True,
        validation_depth=config.ValidationDepth.SCHEMA_AND_DATA,
        use_narwhals_backend=False,
    )
    with context:
        try:
            # Eager: of a lazy frame, pandera checks no data and says nothing.
            schema.validate(polars.from_arrow(rows), lazy=True)
        except errors.SchemaErrors as found:
            return list(found.schema_errors)
    return []


def _checked(checks: tuple[RowCheck, ...]) -> list[str]:
    return list(dict.fromkeys(each.column for each in checks if each.column is not None))


def _is_nan(column: pa.ChunkedArray) -> Mask | None:
    if not pa.types.is_floating(column.type):
        return None
    nan = pc.is_nan(column).fill_null(False).to_numpy()
    return nan if nan.any() else None


def _either(first: Mask | None, second: Mask | None, count: int) -> Mask:
    masks = [mask for mask in (first, second) if mask is not None]
    return np.logical_or.reduce(masks) if masks else np.zeros(count, bool)


def _names(failed: Mapping[str, Mask], count: int) -> pa.Array:
    """Return a list of the failed checks for each row; null for a row without any."""
    masks = {name: mask for name, mask in failed.items() if mask.any()}
    if not masks:
        return pa.nulls(count, pa.list_(pa.string()))
    by_row = np.stack(list(masks.values()), axis=1)
    _, check = np.nonzero(by_row)
    counts = by_row.sum(axis=1)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    names = pa.array(list(masks), pa.string()).take(pa.array(check))
    return pa.ListArray.from_arrays(offsets, names, mask=pa.array(counts == 0))


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0]
