"""The personal columns of a view: those that are marked, and what is made from such ones."""

from featurestore.definitions.model.view import FeatureView
from featurestore.registry.lineage.columns import query_of


def personal_columns(view: FeatureView) -> frozenset[str]:
    """Return the fields of a view that have personal data.

    A derived view inherits the marks of its upstream view: a field that is made from a personal
    field is personal too, also one such as ``upper(name)`` or ``count(name)``. Where it is not
    known what a field is made from, because a Python function makes the rows or SQL is not
    understood, all fields are personal if one of the upstream view is.

    Args:
        view: The view.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> from featurestore.definitions.model.types import Field, String
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at")
        >>> people = FeatureView("people", entities=(), source=paid,
        ...                      schema=(Field("name", String, personal=True),))
        >>> upper = "SELECT event_timestamp, _row_metadata, upper(name) AS loud FROM {source}"
        >>> derived = FeatureView("derived", entities=(), source=people, transform=upper,
        ...                       schema=(Field("loud", String),))
        >>> personal_columns(derived)
        frozenset({'loud'})
    """
    marked = frozenset(field.name for field in view.schema if field.personal)
    upstream = personal_columns(view.source) if isinstance(view.source, FeatureView) else ()
    if not upstream:
        return marked
    names, query = {field.name for field in view.schema}, query_of(view)
    if query is None:
        return frozenset(names)
    low = {name.lower() for name in upstream}  # SQL does not distinguish case
    return marked | {
        name for name in names if any(own.lower() in low for own in query.values[name])
    }
