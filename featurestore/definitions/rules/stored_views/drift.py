"""Rules of thresholds of drift: a known feature, a measure that fits it, a possible threshold."""

from collections.abc import Iterator

from featurestore.definitions.model.aggregation import value_types
from featurestore.definitions.model.drift import TRAINING_SET, Drift
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.types import (
    Boolean,
    DataType,
    Date,
    String,
    Timestamp,
    is_number,
)
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import nearest

_AGAINST = ("previous", "first")


def drift_names_a_feature(manifest: Manifest) -> Iterator[Issue]:
    """Yield thresholds of a feature that the view does not have."""
    for view, drift in _all(manifest):
        types = value_types(view.schema, view.aggregations)
        if drift.feature not in types:
            text = f"{_label(view, drift)}: the view has no feature {drift.feature!r}"
            yield Issue(drift.origin, f"{text}. {nearest(drift.feature, types)}")


def drift_has_a_threshold(manifest: Manifest) -> Iterator[Issue]:
    """Yield drift without any threshold."""
    for view, drift in _all(manifest):
        if not drift.thresholds:
            fix = f"Give one: fs.Drift({drift.feature!r}, psi=0.2)."
            yield Issue(drift.origin, f"{_label(view, drift)} has no threshold. {fix}")


def thresholds_are_in_range(manifest: Manifest) -> Iterator[Issue]:
    """Yield thresholds that no distance can exceed, or that each distance exceeds."""
    for view, drift in _all(manifest):
        for name, value in drift.thresholds.items():
            most = None if name == "psi" else 1
            if not value > 0 or not value < (most or float("inf")):
                limits = "greater than 0" if most is None else f"between 0 and {most}"
                text = f"{_label(view, drift)}: {name} is {value}"
                yield Issue(drift.origin, f"{text}. Give a number {limits}, such as {name}=0.1.")


def measures_fit_the_type(manifest: Manifest) -> Iterator[Issue]:
    """Yield measures that features of this type do not have."""
    for view, drift in _all(manifest):
        dtype = value_types(view.schema, view.aggregations).get(drift.feature)
        measures = _measures(dtype)
        if drift.feature in _personal_texts(view):
            measures = ("nulls",)  # profiles do not list its values
        for name in drift.thresholds:
            if dtype is not None and name not in measures:
                kind = "a personal text" if drift.feature in _personal_texts(view) else dtype
                text = f"{_label(view, drift)}: {name} does not compare values of {kind}"
                yield Issue(drift.origin, f"{text}. Use {' or '.join(measures)}.")


def drift_is_against_a_profile(manifest: Manifest) -> Iterator[Issue]:
    """Yield comparisons with something that is no profile."""
    for view, drift in _all(manifest):
        name = drift.against.removeprefix(TRAINING_SET)
        is_training_set = bool(name) and drift.against.startswith(TRAINING_SET)
        if drift.against not in _AGAINST and not is_training_set:
            text = f"{_label(view, drift)}: against is {drift.against!r}"
            fix = nearest(drift.against, (*_AGAINST, f"{TRAINING_SET}NAME"))
            yield Issue(drift.origin, f"{text}. {fix}")


def drift_is_declared_once(manifest: Manifest) -> Iterator[Issue]:
    """Yield a second declaration of a feature's thresholds against the same profile."""
    for view in manifest.views:
        seen = set()
        for drift in view.drift:
            if (drift.feature, drift.against) in seen:
                text = f"{_label(view, drift)} is declared twice against {drift.against!r}"
                yield Issue(drift.origin, f"{text}. Write all thresholds in one Drift.")
            seen.add((drift.feature, drift.against))


RULES = (
    drift_names_a_feature,
    drift_has_a_threshold,
    thresholds_are_in_range,
    measures_fit_the_type,
    drift_is_against_a_profile,
    drift_is_declared_once,
)


def _all(manifest: Manifest) -> Iterator[tuple[FeatureView, Drift]]:
    return ((view, drift) for view in manifest.views for drift in view.drift)


def _label(view: FeatureView, drift: Drift) -> str:
    return f"{label(view)}: Drift({drift.feature!r})"


def _personal_texts(view: FeatureView) -> set[str]:
    if view.aggregations:
        return set()
    texts = (String, Boolean)
    return {field.name for field in view.schema if field.personal and field.dtype in texts}


def _measures(dtype: DataType | None) -> tuple[str, ...]:
    if dtype in (String, Boolean):
        return ("psi", "js", "cramers_v", "nulls")
    if dtype in (Timestamp, Date) or (dtype is not None and is_number(dtype)):
        return ("psi", "js", "ks", "nulls")
    return ("nulls",)
