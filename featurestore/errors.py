"""The errors that featurestore raises, and the form of their messages.

Every message has three parts: the call, what was found, and what to do next.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from featurestore.credentials import without_credentials


class FeatureStoreError(Exception):
    """Base class of every error that featurestore raises. Credentials in URLs become ``***``.

    Args:
        call: The call or the step that failed, e.g. ``"get_training_set('fraud_v1')"``.
        found: What was found wrong.
        fix: What to do next, as a full sentence.

    Attributes:
        exit_code: The command line's exit code for this kind of error.

    Example:
        >>> str(FeatureStoreError("open table", "it is empty", "Run `featurestore materialize`."))
        'open table: it is empty. Run `featurestore materialize`.'
    """

    exit_code = 1

    def __init__(self, call: str, found: str, fix: str) -> None:
        # Messages name addresses, and reach logs and screens.
        self.call, self.found, self.fix = map(without_credentials, (call, found, fix))
        super().__init__(f"{self.call}: {sentences(self.found, self.fix)}")

    def with_fix(self, fix: str) -> "FeatureStoreError":
        """Return the same error with another sentence on what to do next."""
        return type(self)(self.call, self.found, fix)

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        """Pickle by the three parts: Spark tasks send errors to another process."""
        return type(self), (self.call, self.found, self.fix)


class DefinitionError(FeatureStoreError):
    """The definitions do not load, or break rules; ``found`` lists each problem with its line."""

    exit_code = 2


class FunctionError(DefinitionError):
    """A function of the definitions is not the one that was applied, or is not there any more."""


class ProjectError(FeatureStoreError):
    """The folder is not a project, or its ``featurestore.toml`` is wrong."""

    exit_code = 2


class SetupError(FeatureStoreError):
    """A required program, package or environment variable is missing, such as Java."""

    exit_code = 2


class RequestError(FeatureStoreError):
    """The arguments of a call are wrong, or do not fit the applied definitions."""

    exit_code = 2


class NotFoundError(RequestError):
    """No view, service or feature of that name is applied."""


class SpineError(RequestError):
    """The spine lacks a column, a key column has another type, or a time cannot be used."""


class SourceError(FeatureStoreError):
    """A source is missing or empty, its files changed, or its columns are not as declared."""


class OnDemandError(FeatureStoreError):
    """An on-demand feature cannot be computed: its function or its SQL expression fails."""


class SumOverflowError(FeatureStoreError):
    """A window's sum of integers or decimals does not fit the feature's type.

    Attributes:
        row: The position of the row among the rows to answer; None if it is unknown.
    """

    row: int | None = None

    def within(self, call: str, row: int | None = None) -> "SumOverflowError":
        """Return the same error as the error of a call, with the row's position in the spine.

        Args:
            call: The user's call, e.g. ``"get_training_set('fraud_v1')"``.
            row: The row's position in the spine; None if it is unknown.

        Example:
            >>> error = SumOverflowError("feature 'x'", "a sum does not fit Int64", "Cast it.")
            >>> str(error.within("get_training_set('fraud_v1')", 7))
            "get_training_set('fraud_v1'): feature 'x': a sum does not fit Int64 (row 7). Cast it."
        """
        position = "" if row is None else f" (row {row})"
        return SumOverflowError(f"{call}: {self.call}", f"{self.found}{position}", self.fix)


class MaterializationError(FeatureStoreError):
    """A materialization failed: Spark, or the view's transform, raised an error.

    Attributes:
        results: From `FeatureStore.materialize`, the result of each view, in the order of the
            views; else empty. A failed view's result has its error.
    """

    results: Sequence[Any] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the three parts, with the results."""
        return (*super().__reduce__(), {"results": self.results})


class DataQualityError(MaterializationError):
    """Too many rows of a batch are bad, so the batch was not stored."""

    exit_code = 4


class TableError(FeatureStoreError):
    """A table cannot be used: it is missing, outdated, or needs an unsupported Delta feature."""


class StorageError(TableError):
    """A file or folder cannot be read or written: the disk or the object store refuses it."""


class ConflictError(FeatureStoreError):
    """Another process holds the lock, or the plan is outdated. Nothing was changed; try again."""

    exit_code = 5


class ContractError(FeatureStoreError):
    """The engine's answer broke the row contract: a bug of featurestore. No answer is returned."""

    exit_code = 70


def with_note(error: FeatureStoreError, note: str) -> FeatureStoreError:
    """Return the same error with one more finding.

    Args:
        error: The error.
        note: The finding, as a clause.

    Example:
        >>> str(with_note(TableError("open t", "it is empty", "Build it."), "the disk is full"))
        'open t: it is empty; the disk is full. Build it.'
    """
    noted = type(error)(error.call, f"{error.found.rstrip('.')}; {note}", error.fix)
    noted.__cause__ = error.__cause__
    return noted


def sentences(found: str, fix: str) -> str:
    """Return what was found and what to do next as sentences, with one stop between them.

    Example:
        >>> sentences("no view 'activty' is applied", "Did you mean 'activity'?")
        "no view 'activty' is applied. Did you mean 'activity'?"
    """
    text = found.rstrip(".")
    stop = "" if text.endswith("?") else "."
    space = "" if fix.startswith("\n") else " "
    return f"{text}{stop}{space}{fix}".strip()


def nearest(name: str, existing: Iterable[str]) -> str:
    """Return a sentence that offers the existing names nearest to an unknown name.

    Args:
        name: The unknown name.
        existing: The names that exist.

    Returns:
        ``"Did you mean 'x'?"``; without a near name, the list of all names.

    Example:
        >>> nearest("amuont", ["amount", "merchant"])
        "Did you mean 'amount'?"
        >>> nearest("zzz", ["amount", "merchant"])
        'Known: amount, merchant.'
    """
    names = sorted(set(existing))
    close = difflib.get_close_matches(str(name), names, n=3)
    if close:
        return f"Did you mean {' or '.join(repr(match) for match in close)}?"
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"Known: {shown}." if names else "There are none yet."
