"""Rules of snapshot views, and of sources without a time, which only snapshot views can read."""

from collections.abc import Iterator

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource, StoredSource
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import Issue, label


def sources_without_a_time_feed_snapshots(manifest: Manifest) -> Iterator[Issue]:
    """Yield views of a source without ``timestamp_field`` that are no snapshot views."""
    for view in manifest.views:
        source = view.source
        if view.snapshot or not isinstance(source, StoredSource):
            continue
        if source.timestamp_field is None:
            text = f"{label(view)}: {label(source)} has no timestamp_field"
            fix = (
                "Name the column with the time of each row. If the table has one row for each key "
                "and no such column, declare snapshot=True on the view."
            )
            yield Issue(view.origin, f"{text}. {fix}")


def snapshots_have_plain_sources(manifest: Manifest) -> Iterator[Issue]:
    """Yield snapshot views of other views, and of sources whose rows are events or revisions."""
    for view in manifest.views:
        source = view.source
        if not view.snapshot:
            continue
        if isinstance(source, FeatureView):
            text = f"{label(view)}: snapshot=True has no meaning with {label(source)} as source"
            yield Issue(view.origin, f"{text}. Remove it: the stored rows have times.")
        if not isinstance(source, StoredSource):
            continue
        for name in _without_meaning(source):
            text = f"{label(view)}: snapshot=True has no meaning with {name}= of {label(source)}"
            yield Issue(view.origin, f"{text}. Remove one of the two.")


def snapshots_have_plain_features(manifest: Manifest) -> Iterator[Issue]:
    """Yield snapshot views with windows or a ttl: their rows are changes, not events."""
    for view in manifest.views:
        if not view.snapshot:
            continue
        if view.aggregations:
            text = f"{label(view)}: aggregations= would count the changes of a snapshot view"
            yield Issue(view.origin, f"{text}. Remove aggregations=, or snapshot=True.")
        if view.ttl is not None:
            text = f"{label(view)}: with ttl= a row that does not change would end"
            yield Issue(view.origin, f"{text}. Remove ttl=: a row holds until it changes.")


RULES = (
    sources_without_a_time_feed_snapshots,
    snapshots_have_plain_sources,
    snapshots_have_plain_features,
)


def _without_meaning(source: StoredSource) -> Iterator[str]:
    for name, column in source.roles.columns.items():
        if column is not None and name != "timestamp_field":
            yield name
    if source.unique_by:
        yield "unique_by"
    if isinstance(source, DeltaSource) and source.change_feed:
        yield "change_feed"
