"""The schema contracts of views that have a table: what a run would refuse."""

from collections.abc import Iterator

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import StoredSource
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import FeatureStoreError, SourceError, sentences
from featurestore.jobs.contract.check import check_schema, recorded_columns
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import Tables


def contract_issues(manifest: Manifest, source: StoredSource, layout: Layout) -> Iterator[Issue]:
    """Yield the views of a source whose next run its columns stop, with the columns side by side.

    Args:
        manifest: The declared definitions.
        source: A source with data.
        layout: The addresses of the tables and sources.
    """
    views = [view for view in manifest.views if view.source == source]
    builds = Tables(layout).records() if views else ()
    for view in views:
        own = [each for each in builds if each.view == view.name]
        if recorded_columns(layout, view, own) is None:
            continue  # its first run takes the columns as they are
        try:
            check_schema(layout, view)
        except SourceError as error:
            text = sentences(error.found, error.fix)
            yield Issue(view.origin, f"{label(view)}: {text}")
        except (FeatureStoreError, OSError, ValueError):  # the look at the source names it
            return
