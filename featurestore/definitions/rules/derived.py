"""Derived views: no circles, known columns, and rows that can be taken back."""

from collections.abc import Iterator

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import nearest


def views_are_not_derived_from_themselves(manifest: Manifest) -> Iterator[Issue]:
    """Yield views of whose sources one has their own name."""
    for view in manifest.views:
        names = [each.name for each in view.lineage]
        if view.name in names:
            circle = " <- ".join([view.name, *names[: names.index(view.name) + 1]])
            yield Issue(view.origin, f"{label(view)} is derived from itself: {circle}")


def derived_columns_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield columns that a derived view without transform takes from a view that lacks them."""
    for view in manifest.views:
        source = view.source
        if not isinstance(source, FeatureView) or view.transform is not None:
            continue
        known = {column.name for column in (*source.join_keys, *source.schema)}
        known |= {*source.unique_columns, EVENT_TIME}
        for column in (*view.join_keys, *view.schema):
            if column.name not in known:
                near = nearest(column.name, known)
                text = f"{label(view)}: {label(source)} stores no column {column.name!r}. {near}"
                yield Issue(column.origin, text)


def rows_that_are_taken_back_keep_their_keys(manifest: Manifest) -> Iterator[Issue]:
    """Yield derived views with other keys than a view whose rows are revised or taken back.

    A change feed takes a row back with all its columns, whatever key is made of them; a revision
    or a tombstone of any other source says nothing of the row that it replaces.
    """
    for view in manifest.views:
        source = view.source
        if not isinstance(source, FeatureView) or not is_taken_back(source):
            continue
        if takes_back_whole_rows(source) or _keys(view) == _keys(source):
            continue
        theirs = ", ".join(sorted(_keys(source))) or "none"
        text = f"{label(view)} has other keys than {label(source)} ({theirs}), whose rows are"
        why = "revised or deleted: under another key a row could not be taken back"
        fix = "keep the keys, or read the source by change_feed=True"
        yield Issue(view.origin, f"{text} {why}; {fix}")


RULES = (
    views_are_not_derived_from_themselves,
    derived_columns_exist,
    rows_that_are_taken_back_keep_their_keys,
)


def is_taken_back(view: FeatureView) -> bool:
    """Return whether rows of a view may replace or retract others.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at", unique_by=("id",))
        >>> is_taken_back(FeatureView("v", entities=(), source=paid, schema=()))
        True
    """
    return bool(view.unique_columns) or view.has_tombstones


def takes_back_whole_rows(view: FeatureView) -> bool:
    """Return whether a row that goes comes again with all its columns, as a change feed's does.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at", unique_by=("id",))
        >>> takes_back_whole_rows(FeatureView("v", entities=(), source=paid, schema=()))
        False
    """
    return (view, *view.lineage)[-1].source_roles.change_feed


def _keys(view: FeatureView) -> set[str]:
    return {key.name for key in view.join_keys}
