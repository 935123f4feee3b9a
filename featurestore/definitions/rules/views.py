"""Rules of views: features, a stored source, and valid durations."""

from collections.abc import Iterator

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import StoredSource
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import RequestError
from featurestore.times import parse_duration


def views_have_features(manifest: Manifest) -> Iterator[Issue]:
    """Yield views with neither schema nor aggregations."""
    for view in manifest.views:
        if not view.schema and not view.aggregations:
            yield Issue(view.origin, f"{label(view)} has no features. Add fields to schema=.")


def views_read_stored_sources(manifest: Manifest) -> Iterator[Issue]:
    """Yield views over request values, which cannot be materialized."""
    for view in manifest.views:
        if not isinstance(view.source, StoredSource | FeatureView):
            text = f"{label(view)} reads {label(view.source)}, whose values come with requests."
            fix = "Give it a DeltaSource or a FileSource, or declare an OnDemandFeatureView."
            yield Issue(view.origin, f"{text} {fix}")


def durations_are_durations(manifest: Manifest) -> Iterator[Issue]:
    """Yield ttl and available_delay that are not durations."""
    for view in manifest.views:
        for name, text in (("ttl", view.ttl), ("available_delay", view.available_delay)):
            # A rule of its own reports other types, such as numbers.
            if isinstance(text, str) and (wrong := duration_problem(text)):
                yield Issue(view.origin, f"{label(view)}: {name} {text!r} is {wrong}")


def aggregating_views_have_no_ttl(manifest: Manifest) -> Iterator[Issue]:
    """Yield views with aggregations and a ttl."""
    for view in manifest.views:
        if view.aggregations and view.ttl is not None:
            text = f"{label(view)}: ttl={view.ttl!r} has no meaning with aggregations"
            fix = "Remove ttl=: the windows of the aggregations limit the age of rows."
            yield Issue(view.origin, f"{text}. {fix}")


RULES = (
    views_have_features,
    views_read_stored_sources,
    durations_are_durations,
    aggregating_views_have_no_ttl,
)


def duration_problem(text: object) -> str:
    """Return what is wrong with a duration and what to write, or ``""`` for a valid one.

    Example:
        >>> duration_problem("7d"), duration_problem("7x")[:18]
        ('', 'not a whole number')
    """
    try:
        parse_duration(text)  # type: ignore[arg-type]  # of other types it is an error
    except RequestError as error:
        return f"{error.found}. {error.fix}"
    return ""
