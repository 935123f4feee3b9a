"""`Expectations`: what the rows of a view must be like, and what happens to rows that are not."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, get_args

Severity = Literal["drop", "fail", "warn"]
SEVERITIES: tuple[str, ...] = get_args(Severity)


@dataclass(frozen=True)
class Expectations:
    """A schema that the rows of a view must fit, and what happens where they do not.

    A view takes a schema itself where no option is needed: ``expectations=schema``.

    Args:
        schema: A `DataFrameSchema` or a `DataFrameModel` of pandera, or a function without
            arguments that returns one.
        max_bad_share: The greatest share of bad rows in a batch. If more of its rows are bad,
            the batch is not stored, and the run fails.
        severity: What happens if a row fails a check, by the name of a check or of a column:
            ``"drop"`` puts the row into the quarantine, ``"fail"`` stops the run, ``"warn"``
            stores the row and counts it. Other checks have ``"drop"``.

    Example:
        >>> def payments():
        ...     import pandera.polars as pa
        ...     return pa.DataFrameSchema({"amount": pa.Column(float, pa.Check.ge(0))})
        >>> Expectations(payments, max_bad_share=0.1, severity={"amount:not_null": "warn"})
        Expectations(max_bad_share=0.1, severity={'amount:not_null': 'warn'})
    """

    schema: Any = field(repr=False)
    _: KW_ONLY
    max_bad_share: float = 1.0
    severity: Mapping[str, Severity] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class DeclaredCheck:
    """A check as the registry stores it: its text, which is never run, and its fingerprint.

    Args:
        name: The name, which is also the reason in the quarantine, such as ``amount:in_range``.
        text: The check with its arguments.
        severity: What happens if a row fails it.
        fingerprint: The fingerprint of the check's own function; empty for a built-in check.
    """

    name: str
    text: str
    severity: Severity = "drop"
    fingerprint: str = ""


@dataclass(frozen=True)
class DeclaredExpectations:
    """A view's expectations as the registry stores them: texts and fingerprints, no code to run.

    Args:
        checks: The checks, in order.
        max_bad_share: The greatest share of bad rows in a batch.

    Example:
        >>> DeclaredExpectations((DeclaredCheck("amount:not_null", "not_null"),)).max_bad_share
        1.0
    """

    checks: tuple[DeclaredCheck, ...]
    max_bad_share: float = 1.0
