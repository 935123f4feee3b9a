"""`Gate`: whether a batch may be stored, from how many of its rows fail which checks."""

from collections.abc import Mapping
from dataclasses import dataclass

from featurestore.definitions.code.expectations import RowCheck
from featurestore.errors import DataQualityError

_MOST_NAMED = 5


@dataclass(frozen=True)
class Gate:
    """The conditions under which a batch is stored.

    Args:
        view: The view's name.
        checks: The checks of its expectations.
        max_bad_share: The greatest share of bad rows.

    Example:
        >>> Gate("spending", (), 0.1).refusal(10, 1, {"null_key": 1}) is None
        True
        >>> Gate("spending", (), 0.1).refusal(10, 2, {"null_key": 2}).exit_code
        4
    """

    view: str
    checks: tuple[RowCheck, ...]
    max_bad_share: float

    def refusal(
        self, rows: int, bad_rows: int, failures: Mapping[str, int]
    ) -> DataQualityError | None:
        """Return why a batch must not be stored; None if it may be.

        Args:
            rows: The number of rows that were checked.
            bad_rows: The number of rows that are kept out of the table.
            failures: The number of rows that fail each check, by its name.
        """
        fatal = {each.name for each in self.checks if each.severity == "fail"}
        stopping = {name: count for name, count in failures.items() if name in fatal}
        if stopping:
            problem = f"rows fail checks of severity 'fail': {_counts(stopping)}"
        elif bad_rows > self.max_bad_share * rows:
            problem = (
                f"{bad_rows:,} of {rows:,} rows are bad ({bad_rows / rows:.1%}), and "
                f"max_bad_share is {self.max_bad_share:.1%}: {_counts(failures)}"
            )
        else:
            return None
        return DataQualityError(
            f"materialize view {self.view!r}",
            problem,
            "Nothing of the batch was stored. "
            f"`featurestore quarantine show {self.view}` lists its bad rows. Correct the source, "
            f"and rebuild with `featurestore materialize {self.view} --full`. Or change the "
            "expectations, run `featurestore apply`, and materialize again: the batch is read "
            "again then.",
        )


def _counts(failures: Mapping[str, int]) -> str:
    most = sorted(failures.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{name} ({count:,})" for name, count in most[:_MOST_NAMED])
    rest = len(most) - _MOST_NAMED
    return f"{named} and {rest} more" if rest > 0 else named
