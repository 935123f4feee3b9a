"""The checks of a view's expectations, read from the user's schema by its attributes.

No module of pandera is imported here: where there is a schema, the user's code has imported it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass, replace
from types import FunctionType, MethodType
from typing import Any

from featurestore.definitions.code.fingerprint import digest, function_code
from featurestore.definitions.model.expectations import (
    DeclaredCheck,
    DeclaredExpectations,
    Expectations,
    Severity,
)
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.errors import DefinitionError, SetupError, nearest

NOT_NULL = "not_null"
_LONGEST_TEXT = 200


@dataclass(frozen=True)
class RowCheck:
    """One check of a schema.

    Args:
        name: Its name, which is also the reason in the quarantine.
        column: The column that it checks; None for a check of whole rows.
        position: Its position among the checks of its column, or of whole rows; None for the
            check that a value is not null.
        severity: What happens if a row fails it.
        check: The `Check` of pandera; None for the check that a value is not null.
    """

    name: str
    _: KW_ONLY
    column: str | None
    position: int | None
    severity: Severity
    check: Any = None

    @property
    def text(self) -> str:
        """The check with its arguments."""
        if self.check is None:
            return NOT_NULL
        values = ", ".join(f"{name}={_text(value)}" for name, value in _arguments(self.check))
        own = f"{self.check.name}({values})" if is_built_in(self.check) else str(self.check.name)
        return own if self.check.ignore_na else f"{own}, null fails"


def checked_columns(view: FeatureView) -> dict[str, str]:
    """Return the columns that expectations see, by their declared names, and their stored names.

    They are the join keys, the event time, and the columns of the schema.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="p", timestamp_field="paid_at")
        >>> checked_columns(FeatureView("v", entities=(), source=paid, schema=()))
        {'paid_at': 'event_timestamp'}
    """
    time = view.source_roles.timestamp_field or EVENT_TIME
    columns = {key.name: key.name for key in view.join_keys}
    columns[time] = EVENT_TIME
    return columns | {column.name: column.name for column in view.schema}


def expectations_of(view: FeatureView) -> Expectations | None:
    """Return a view's expectations with their options; None if it has none."""
    declared = view.expectations
    if declared is None or isinstance(declared, Expectations):
        return declared
    return Expectations(declared)


def schema_of(view: FeatureView) -> Any:
    """Return the schema of a view's expectations: a function is called, a model converted.

    Raises:
        DefinitionError: It is no schema of pandera, or the function fails.
        SetupError: The function imports a package that is not installed.
    """
    expectations = expectations_of(view)
    schema = None if expectations is None else expectations.schema
    if isinstance(schema, FunctionType):
        schema = _returned(view, schema)
    if isinstance(schema, type) and hasattr(schema, "to_schema"):
        schema = _attempt(view, schema.to_schema)
    if not _is_schema(schema):
        raise _wrong(
            view,
            f"they are of type {type(schema).__name__}, not a schema of pandera",
            "Pass a DataFrameSchema or a DataFrameModel of pandera.polars, or a function that "
            "returns one.",
        )
    return schema


def row_checks(view: FeatureView) -> tuple[RowCheck, ...]:
    """Return the checks of a view's expectations, in order; none if it has none.

    Raises:
        DefinitionError: The expectations are no schema of pandera, or ``severity`` names no check.
        SetupError: They import a package that is not installed.
    """
    expectations = expectations_of(view)
    if expectations is None:
        return ()
    schema, columns = schema_of(view), checked_columns(view)
    checks = tuple(_numbered([*_column_checks(schema, columns), *_checks(None, schema.checks)]))
    severity = _severities(view, expectations, checks)
    return tuple(_with_severity(check, severity) for check in checks)


def declared_expectations(view: FeatureView) -> DeclaredExpectations | None:
    """Return a view's expectations as the registry stores them; None if it has none.

    Raises:
        DefinitionError: The expectations are no schema of pandera, or ``severity`` names no check.
        SetupError: They import a package that is not installed.
    """
    if view.expectations is None or isinstance(view.expectations, DeclaredExpectations):
        return view.expectations
    checks = tuple(
        DeclaredCheck(
            check.name,
            _short(check.text),
            severity=check.severity,
            fingerprint=_fingerprint(view, check),
        )
        for check in row_checks(view)
    )
    expectations = expectations_of(view)
    return DeclaredExpectations(checks, getattr(expectations, "max_bad_share", 1.0))


def is_built_in(check: Any) -> bool:
    """Return whether a check is one of pandera's own, rather than a function of the user."""
    return type(check._check_fn).__name__ == "Dispatcher"


def matching_columns(pattern: Any, columns: dict[str, str]) -> list[str]:
    """Return the columns that one column of a schema stands for: itself, or those of its pattern.

    Args:
        pattern: A `Column` of pandera.
        columns: The columns of the rows.
    """
    if not pattern.regex:
        return [pattern.name]
    return [name for name in columns if re.fullmatch(pattern.name, name)]


def _column_checks(schema: Any, columns: dict[str, str]) -> Iterator[RowCheck]:
    for column in schema.columns.values():
        for name in matching_columns(column, columns):
            if not column.nullable:
                text = f"{name}:{NOT_NULL}"
                yield RowCheck(text, column=name, position=None, severity="drop")
            yield from _checks(name, column.checks)


def _checks(column: str | None, checks: Any) -> Iterator[RowCheck]:
    for position, check in enumerate(checks):
        own = str(check.name or "")
        own = own if own.isidentifier() else "check"
        name = own if column is None else f"{column}:{own}"
        severity: Severity = "warn" if check.raise_warning else "drop"
        yield RowCheck(name, column=column, position=position, severity=severity, check=check)


def _numbered(checks: list[RowCheck]) -> Iterator[RowCheck]:
    """Yield the checks with different names: the second of a name gets the number 2."""
    seen: Counter[str] = Counter()
    for check in checks:
        seen[check.name] += 1
        number = seen[check.name]
        yield check if number == 1 else replace(check, name=f"{check.name}_{number}")


def _severities(
    view: FeatureView, expectations: Expectations, checks: tuple[RowCheck, ...]
) -> dict[str, Severity]:
    names = {check.name for check in checks}
    names |= {check.column for check in checks if check.column is not None}
    for name in expectations.severity or ():
        if name not in names:
            raise _wrong(view, f"severity names {name!r}, which is no check", nearest(name, names))
    return dict(expectations.severity or {})


def _with_severity(check: RowCheck, severity: dict[str, Severity]) -> RowCheck:
    chosen = severity.get(check.name, severity.get(check.column or "", check.severity))
    return replace(check, severity=chosen)


def _fingerprint(view: FeatureView, check: RowCheck) -> str:
    if check.check is None:
        return ""
    if is_built_in(check.check):
        # Long lists of values are cut in the text.
        return "" if len(check.text) <= _LONGEST_TEXT else digest(check.text)
    try:
        return function_code(_own_function(check.check._check_fn)).fingerprint
    except DefinitionError as error:
        raise _wrong(view, f"check {check.name!r}: {error.found}", error.fix) from error


def _own_function(function: Any) -> Any:
    """Return the user's function in what pandera makes of a method of a model."""
    if isinstance(function, MethodType | classmethod):
        return _own_function(function.__func__)
    if not isinstance(function, FunctionType) or not function.__module__.startswith("pandera."):
        return function
    for cell in function.__closure__ or ():
        inner = getattr(cell.cell_contents, "check_fn", None)
        if inner is not None:
            return _own_function(inner)
    return function


def _arguments(check: Any) -> list[tuple[str, Any]]:
    return list((check.statistics or {}).items())


def _text(value: Any) -> str:
    if isinstance(value, set | frozenset):
        return f"[{', '.join(sorted(map(repr, value)))}]"
    return repr(getattr(value, "pattern", value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."


def _returned(view: FeatureView, function: FunctionType) -> Any:
    try:
        return _attempt(view, function)
    except ImportError as error:
        raise SetupError(
            f"read the expectations of view {view.name!r} ({view.origin})",
            f"{error.name or error} cannot be imported",
            "Install it: pip install 'featurestore[quality]'.",
        ) from None


def _attempt(view: FeatureView, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except (ImportError, DefinitionError):
        raise
    except Exception as error:  # the user's code may raise anything
        name = getattr(function, "__name__", "the schema")
        raise _wrong(
            view,
            f"{name} raised {type(error).__name__}: {error}",
            "Correct the schema, or the function that returns it.",
        ) from error


def _is_schema(schema: Any) -> bool:
    own = type(schema)
    return own.__name__ == "DataFrameSchema" and own.__module__.startswith("pandera.")


def _wrong(view: FeatureView, found: str, fix: str) -> DefinitionError:
    return DefinitionError(
        f"read the expectations of view {view.name!r} ({view.origin})", found, fix
    )
