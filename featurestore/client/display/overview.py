"""What is applied, as HTML for a notebook."""

from collections.abc import Iterator

from featurestore.definitions.model.manifest import Manifest
from featurestore.notebook import html_table
from featurestore.registry.registry import RegistryVersion

_SHOWN_NAMES = 8


def overview_html(applied: RegistryVersion | None, title: str) -> str:
    """Return the applied services and views.

    Args:
        applied: The newest version of the registry. None if nothing is applied.
        title: The line above the table.

    Example:
        >>> overview_html(None, "shop")
        '<p><b>shop</b></p><p>Nothing is applied yet: store.apply(store.plan())</p>'
    """
    if applied is None:
        return html_table(title, (), (), "Nothing is applied yet: store.apply(store.plan())")
    columns = ["kind", "name", "features", "description"]
    note = f"Applied: version {applied.version}, {applied.applied_at:%Y-%m-%d %H:%M:%SZ}"
    return html_table(title, columns, _rows(applied.manifest), note)


def _rows(manifest: Manifest) -> Iterator[tuple[str, str, str, str]]:
    for service in manifest.services:
        names = [use.prefix + name for use in service.references for name in use.feature_names]
        yield "service", service.name, _listed(names), service.description
    for view in manifest.views:
        yield "view", view.name, _listed(view.feature_names), view.description
    for computed in manifest.on_demand_views:
        names = list(computed.feature_names)
        yield "on-demand view", computed.name, _listed(names), computed.description


def _listed(names: "list[str] | tuple[str, ...]") -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
