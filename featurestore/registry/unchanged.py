"""The stored columns that a change of a view leaves as they were.

Until a changed view's table is built again, readers see the table of before. They may read those
features whose rows and values the change does not concern.
"""

from dataclasses import replace

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.view import FeatureView


def unchanged_columns(built: FeatureView, view: FeatureView) -> frozenset[str]:
    """Return the value columns that are equal in a view's table before and after a change.

    If more than the list of fields differs, such as the transform or the source, no column is
    known to be equal. Fields may be added and removed. The upstream view of a derived view may
    only get more fields, because the transform may read any of them.

    Args:
        built: The definition that the table was built from.
        view: The definition now.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> from featurestore.definitions.model.types import Field, Int64
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at")
        >>> view = FeatureView("v", entities=(), source=paid, schema=(Field("x", Int64),))
        >>> wider = replace(view, schema=(Field("y", Int64), *view.schema))
        >>> unchanged_columns(view, wider)
        frozenset({'x'})
    """
    old, new = _types(built), _types(view)
    common = {name for name in old if old[name] == new.get(name)}
    before, after = _restricted(built, common), _restricted(view, common)
    source = built.source
    if isinstance(source, FeatureView) and isinstance(view.source, FeatureView):
        if unchanged_columns(source, view.source) < set(_types(source)):
            return frozenset()
        after = replace(after, source=source)
    is_equal = table_fingerprint(before) == table_fingerprint(after)
    return frozenset(common) if is_equal else frozenset()


def _types(view: FeatureView) -> dict[str, str]:
    return {field.name: str(field.dtype) for field in view.schema}


def _restricted(view: FeatureView, names: set[str]) -> FeatureView:
    fields = sorted(view.schema, key=lambda field: field.name)
    return replace(view, schema=tuple(field for field in fields if field.name in names))
