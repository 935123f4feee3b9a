"""Rules for expectations. They need pandera, and only where a view has expectations."""

import math
from collections.abc import Iterator

from featurestore.definitions.code.expectations import expectations_of
from featurestore.definitions.model.expectations import SEVERITIES, Expectations
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import DefinitionError, nearest
from featurestore.quality.sample_rows import dependent_checks
from featurestore.quality.schema import checks_of, schema_problems


def expectation_issues(manifest: Manifest) -> Iterator[Issue]:
    """Yield expectations that cannot be checked row by row, and options that are not valid.

    Args:
        manifest: The definitions, as loaded.

    Raises:
        SetupError: A view has expectations, and pandera is not installed.

    Example:
        >>> list(expectation_issues(Manifest()))
        []
    """
    for view in manifest.views:
        expectations = expectations_of(view)
        if expectations is not None:
            for problem in _problems(view, expectations):
                yield Issue(view.origin, f"{label(view)}: expectations: {problem}")


def _problems(view: FeatureView, expectations: Expectations) -> Iterator[str]:
    yield from _option_problems(expectations)
    try:
        problems = list(schema_problems(view))
        yield from problems
        if not problems:
            names = list(dependent_checks(view, checks_of(view)))
            yield from map(_dependent, names)
    except DefinitionError as error:
        yield f"{error.found}. {error.fix}"


def _dependent(name: str) -> str:
    return (
        f"check {name!r} does not answer for each row by itself: its answer depends on other "
        "rows, or on chance. Write a check of one row, or check the table with a query."
    )


def _option_problems(expectations: Expectations) -> Iterator[str]:
    share = expectations.max_bad_share
    is_number = isinstance(share, int | float) and not isinstance(share, bool)
    if not is_number or math.isnan(share) or not 0 <= share <= 1:
        yield f"max_bad_share={share!r} is no share. Write a number from 0 to 1: 0.1 for 10 %."
    for name, severity in dict(expectations.severity or {}).items():
        if severity not in SEVERITIES:
            yield f"severity={severity!r} of {name!r}. {nearest(str(severity), SEVERITIES)}"
