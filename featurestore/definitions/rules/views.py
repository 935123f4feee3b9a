"""Views: what they must have, and the durations that they give."""

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
            yield Issue(view.origin, f"{label(view)} has no features: give schema= some fields")


def views_read_stored_sources(manifest: Manifest) -> Iterator[Issue]:
    """Yield views over request values, which are not there to materialize."""
    for view in manifest.views:
        if not isinstance(view.source, StoredSource | FeatureView):
            text = f"{label(view)} reads {label(view.source)}, which comes only with requests"
            yield Issue(view.origin, f"{text}; give a DeltaSource or a FileSource")


def durations_are_durations(manifest: Manifest) -> Iterator[Issue]:
    """Yield ttl and available_delay that are no durations."""
    for view in manifest.views:
        for name, text in (("ttl", view.ttl), ("available_delay", view.available_delay)):
            if text is not None and (wrong := duration_problem(text)):
                yield Issue(view.origin, f"{label(view)}: {name} {text!r} is {wrong}")


def aggregating_views_have_no_ttl(manifest: Manifest) -> Iterator[Issue]:
    """Yield views that give both windows and a ttl."""
    for view in manifest.views:
        if view.aggregations and view.ttl is not None:
            text = f"{label(view)}: ttl={view.ttl!r} has no meaning with aggregations"
            yield Issue(view.origin, f"{text}; their windows say how old a row may be")


RULES = (
    views_have_features,
    views_read_stored_sources,
    durations_are_durations,
    aggregating_views_have_no_ttl,
)


def duration_problem(text: str) -> str:
    """Return what is wrong with a duration, or ``""``.

    Example:
        >>> duration_problem("7d"), duration_problem("7x")[:18]
        ('', 'not a whole number')
    """
    try:
        parse_duration(text)
    except RequestError as error:
        return f"{error.found}. {error.fix}"
    return ""
