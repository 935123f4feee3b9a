"""The drift of a view's features: which distances are greater than their thresholds."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from featurestore.definitions.model.drift import Measure
from featurestore.jobs.monitor.compared import (
    ComparedColumn,
    Comparison,
    ViewProfiles,
    earlier_column,
    newer_column,
    series,
)
from featurestore.jobs.monitor.observation import Observation
from featurestore.monitoring.drift import Distance, distances
from featurestore.monitoring.profile import ColumnProfile

DEFAULT_THRESHOLDS: Mapping[Measure, float] = {"psi": 0.25, "nulls": 0.1}
"""The thresholds of features without their own, where a caller wants a comparison."""
# The times of new rows are always later ones. Only a view can say that this is no news.
_TIMES = ("timestamp", "date")


def drift_observations(own: ViewProfiles, comparison: Comparison) -> Iterator[Observation]:
    """Yield the distance of each feature that has thresholds, or that a caller wants to compare.

    Args:
        own: The profiles of a view.
        comparison: What to compare.
    """
    for wanted in _comparisons(own, comparison):
        feature = wanted.feature
        found = series(own, feature)
        newer = newer_column(own, feature, found, comparison)
        earlier = earlier_column(own, feature, found, wanted.against, comparison)
        if not wanted.declared and newer.column is not None and newer.column.type in _TIMES:
            continue
        if newer.column is None or earlier.column is None:
            missing = newer if newer.column is None else earlier
            yield _not_compared(own.view.name, wanted, missing)
            continue
        found_distances = distances(earlier.column, newer.column, wanted.thresholds)
        measured = {each.measure: each for each in found_distances}
        for measure, threshold in wanted.thresholds.items():
            yield _judged(
                Observation(
                    own.view.name,
                    check="drift",
                    state="not compared",
                    feature=feature,
                    measure=measure,
                    threshold=threshold,
                    against=earlier.label,
                    declared=wanted.declared,
                    found=f"{measure} cannot be computed: {_reason(earlier.column, newer.column)}",
                ),
                measured.get(measure),
                newer,
            )


class _Wanted(NamedTuple):
    feature: str
    against: str
    thresholds: Mapping[Measure, float]
    declared: bool = True


def _comparisons(own: ViewProfiles, comparison: Comparison) -> Iterator[_Wanted]:
    """Yield each feature with what it is compared with, and its thresholds."""
    if not comparison.is_asked:
        yield from (
            _Wanted(each.feature, each.against, each.thresholds) for each in own.view.drift
        )
        declared = {each.feature for each in own.view.drift}
        others = own.view.feature_names if comparison.undeclared else ()
        for name in others:
            if name not in declared:
                yield _Wanted(name, "previous", DEFAULT_THRESHOLDS, declared=False)
        return
    thresholds: dict[str, Mapping[Measure, float]] = {}
    for each in own.view.drift:
        thresholds[each.feature] = {**thresholds.get(each.feature, {}), **each.thresholds}
    for name in own.view.feature_names:
        thresholds.setdefault(name, DEFAULT_THRESHOLDS)
    for feature, own_thresholds in thresholds.items():
        yield _Wanted(feature, comparison.against or "previous", own_thresholds)


def _judged(blank: Observation, distance: Distance | None, newer: ComparedColumn) -> Observation:
    """Return an observation with its distance, if that could be measured."""
    if distance is None:
        return blank
    limit, later = blank.threshold or 0.0, newer.later_rows
    compared = (
        f"{distance.measure} is {distance.value:.3g} between {blank.against} and {newer.label}"
    )
    if later:
        compared += f"; at least {later:,} rows that were stored since then are not in it"
    filled = replace(blank, state="ok", value=distance.value, found=compared, later_rows=later)
    if distance.value <= limit:
        return filled
    if distance.value <= distance.chance:
        chance = f"so few rows may differ by {distance.chance:.3g} by chance"
        return replace(filled, found=f"{compared}; {chance}")
    if not blank.declared:
        text = f"fs.Drift({blank.feature!r}, {distance.measure}={limit:g})"
        fix = f"If this shall be a breach, declare it at the view: `drift=[{text}]`."
        return replace(filled, state="undeclared", fix=fix)
    fix = (
        f"See whether the source of {blank.feature!r} has changed, and correct it there. If the "
        "new values are right, train the models that use it again."
    )
    return replace(filled, state="breach", fix=fix)


def _reason(*columns: ColumnProfile) -> str:
    """Return why two profiles have no distance."""
    types = [each.type for each in columns]
    if any(each.rows - each.nulls - each.nans <= 0 for each in columns):
        return "one of both profiles has no values"
    if types[0] != types[1]:
        return f"its types are {types[0]} and {types[1]}"
    if any(each.minimum is None and each.top is None for each in columns):
        return "a personal field has no frequent values, and no quantiles of few or equal values"
    return "no value is frequent enough to be listed"


def _not_compared(view: str, wanted: _Wanted, missing: ComparedColumn) -> Observation:
    return Observation(
        view,
        check="drift",
        state="not compared",
        feature=wanted.feature,
        against=wanted.against,
        declared=wanted.declared,
        found=missing.missing,
        fix=missing.fix,
    )
