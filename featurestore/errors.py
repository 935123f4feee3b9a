"""The tree of errors that featurestore raises, and the one way their messages are put together.

Every message has three parts: what was asked, what was found, and what to do next.
"""

import difflib
from collections.abc import Iterable


class FeatureStoreError(Exception):
    """Anything the store refuses or cannot do.

    Args:
        call: What was being done, e.g. ``"get_training_set('fraud_v1')"``.
        found: What stood in its way.
        fix: What to do next, as a full sentence.

    Attributes:
        exit_code: The command line's exit code for this kind of error.

    Example:
        >>> str(FeatureStoreError("open table", "it is empty", "Run `featurestore materialize`."))
        'open table: it is empty. Run `featurestore materialize`.'
    """

    exit_code = 1

    def __init__(self, call: str, found: str, fix: str) -> None:
        self.call, self.found, self.fix = call, found, fix
        told = found.rstrip(".")
        stop = "" if told.endswith("?") else "."
        super().__init__(f"{call}: {told}{stop} {fix}".strip())

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        """Pickle by the three parts: errors cross process borders inside Spark tasks."""
        return type(self), (self.call, self.found, self.fix)


class DefinitionError(FeatureStoreError):
    """The definitions do not load, or break rules; ``found`` lists each with file and line."""

    exit_code = 2


class ProjectError(FeatureStoreError):
    """The folder is no project, or its ``featurestore.toml`` is wrong."""

    exit_code = 2


class SetupError(FeatureStoreError):
    """Something that must be installed is missing, such as Java or an optional package."""

    exit_code = 2


class RequestError(FeatureStoreError):
    """A call's arguments do not fit what is applied."""

    exit_code = 2


class NotFoundError(RequestError):
    """A view, service or feature of that name is not applied."""


class SpineError(RequestError):
    """The spine lacks a column, has another type than a key, or holds unusable times."""


class SourceError(FeatureStoreError):
    """A source is missing, is empty, changed under us, or gives other columns than declared."""


class OnDemandError(FeatureStoreError):
    """An on-demand feature cannot be computed: its function or expression fails, or misbehaves."""


class SumOverflowError(FeatureStoreError):
    """A window's sum of integers or decimals does not fit the feature's type.

    Attributes:
        row: Where the row stands among those that were asked about; None if that is not known.
    """

    row: int | None = None

    def within(self, call: str, row: int | None = None) -> "SumOverflowError":
        """Return it as the error of a call, told with a row's position in the spine.

        Example:
            >>> error = SumOverflowError("feature 'x'", "a sum does not fit Int64", "Cast it.")
            >>> str(error.within("get_training_set('fraud_v1')", 7))
            "get_training_set('fraud_v1'): feature 'x': a sum does not fit Int64 (row 7). Cast it."
        """
        place = "" if row is None else f" (row {row})"
        return SumOverflowError(f"{call}: {self.call}", f"{self.found}{place}", self.fix)


class MaterializationError(FeatureStoreError):
    """Spark failed while it materialized a view."""


class TableError(FeatureStoreError):
    """A table cannot be read: missing, or of a protocol that the local engine lacks."""


class ConflictError(FeatureStoreError):
    """Somebody else holds the lock, or the plan is stale: nothing was changed, try again."""

    exit_code = 5


class ContractError(FeatureStoreError):
    """An answer broke the row contract. This is a bug of ours; no answer is given."""

    exit_code = 70


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence that offers the known names nearest to ``name``.

    Args:
        name: The name that was not found.
        known: The names that exist.

    Returns:
        ``"Did you mean 'x'?"``, or the list of what exists, or that nothing exists.

    Example:
        >>> nearest("amuont", ["amount", "merchant"])
        "Did you mean 'amount'?"
        >>> nearest("zzz", ["amount", "merchant"])
        'Known: amount, merchant.'
    """
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=3)
    if close:
        return f"Did you mean {' or '.join(repr(match) for match in close)}?"
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"Known: {shown}." if names else "There are none yet."
