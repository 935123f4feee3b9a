"""Rules of derived views: no cycles, existing columns, and rows that can be retracted."""

from collections.abc import Iterator

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import nearest


def views_are_not_derived_from_themselves(manifest: Manifest) -> Iterator[Issue]:
    """Yield views that derive from themselves."""
    for view in manifest.views:
        names = [upstream.name for upstream in view.lineage]
        if view.name in names:
            cycle = " <- ".join([view.name, *names[: names.index(view.name) + 1]])
            text = f"{label(view)} is derived from itself: {cycle}"
            yield Issue(view.origin, f"{text}. Give one of these views another source.")


def derived_columns_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield columns of a derived view without transform that its upstream view lacks."""
    for view in manifest.views:
        source = view.source
        if not isinstance(source, FeatureView) or view.transform is not None:
            continue
        stored = {column.name for column in (*source.join_keys, *source.schema)}
        stored |= {*source.unique_columns, EVENT_TIME}
        for column in (*view.join_keys, *view.schema):
            if column.name not in stored:
                near = nearest(column.name, stored)
                text = f"{label(view)}: {label(source)} stores no column {column.name!r}. {near}"
                yield Issue(column.origin, text)


def retractable_rows_keep_their_keys(manifest: Manifest) -> Iterator[Issue]:
    """Yield derived views with other keys than an upstream view whose rows can be retracted.

    A change feed repeats a retracted row with all its columns, so it can be retracted under any
    key. A revision or tombstone of another source does not contain the columns of the row that
    it replaces, so the row can be retracted only under its own key.
    """
    for view in manifest.views:
        source = view.source
        if not isinstance(source, FeatureView) or not has_retractions(source):
            continue
        if retracts_whole_rows(source) or _keys(view) == _keys(source):
            continue
        keys = ", ".join(sorted(_keys(source))) or "none"
        text = f"{label(view)} has other join keys than its source, {label(source)} ({keys})."
        why = "Rows of the source are revised or deleted, which needs the same keys."
        fix = f"Use the keys of {source.name!r}, or read its source with change_feed=True."
        yield Issue(view.origin, f"{text} {why} {fix}")


def derived_views_have_no_contract(manifest: Manifest) -> Iterator[Issue]:
    """Yield derived views with a contract: the upstream view's definition is theirs."""
    for view in manifest.views:
        if isinstance(view.source, FeatureView) and view.schema_contract != "ignore":
            contract = f"schema_contract={view.schema_contract!r}"
            text = f"{label(view)}: {contract} has no meaning with {label(view.source)} as source"
            fix = "Remove it: the columns of that view change only with its definition."
            yield Issue(view.origin, f"{text}. {fix}")


RULES = (
    derived_views_have_no_contract,
    views_are_not_derived_from_themselves,
    derived_columns_exist,
    retractable_rows_keep_their_keys,
)


def has_retractions(view: FeatureView) -> bool:
    """Return whether a row of the view may replace or retract another row.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at", unique_by=("id",))
        >>> has_retractions(FeatureView("v", entities=(), source=paid, schema=()))
        True
    """
    return bool(view.unique_columns) or view.has_tombstones


def retracts_whole_rows(view: FeatureView) -> bool:
    """Return whether a retraction repeats the retracted row with all its columns.

    The change feed of a source does so.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at", unique_by=("id",))
        >>> retracts_whole_rows(FeatureView("v", entities=(), source=paid, schema=()))
        False
    """
    return (view, *view.lineage)[-1].source_roles.change_feed


def _keys(view: FeatureView) -> set[str]:
    return {key.name for key in view.join_keys}
