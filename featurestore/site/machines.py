"""Files for programs: the registry's document, the entries of the search, and ``llms.txt``."""

import re
from collections.abc import Iterator

from featurestore.definitions.model.manifest import Definition
from featurestore.site.addresses import data_of, page_of
from featurestore.site.catalog import Catalog, View
from featurestore.site.documents.parts import safe
from featurestore.site.rules import meaning_of
from featurestore.site.search.index import Entry

_MARKUP = re.compile(r"[\\`\[\]<>]")  # what begins a link, a tag or code in Markdown


def registry_json(catalog: Catalog) -> str:
    """Return the newest applied definitions as the registry has them; empty without any."""
    return safe(catalog.history[-1].document) + "\n" if catalog.history else "{}\n"


def entries(catalog: Catalog) -> Iterator[Entry]:
    """Yield what the search finds: views first, features last."""
    manifest = catalog.manifest
    for view in catalog.views:
        columns = tuple(column.name for column in view.schema)
        yield _entry("view", view, columns)
    for service in manifest.services:
        yield _entry("service", service)
    for entity in manifest.entities:
        yield _entry("entity", entity, tuple(key.name for key in entity.join_keys))
    for source in manifest.sources:
        columns = tuple(filter(None, source.roles.columns.values()))
        fields = tuple(column.name for column in getattr(source, "schema", ()))
        yield _entry("source", source, (*columns, *fields))
    for view in catalog.views:
        yield from _features(view, catalog)


def llms_txt(catalog: Catalog) -> str:
    """Return a short map of the site for language models, in Markdown."""
    lines = [
        f"# {safe(catalog.project)}",
        "",
        "> A feature store's registry as a static site. Each page has the same data as JSON under "
        "api/v1/, at the page's path with the suffix .json.",
        "",
        "- [All definitions](registry.json): the registry's document",
        "- [Overview](api/v1/index.json): counts, freshness, health, what was applied lately",
        "- [Lineage](api/v1/lineage.json): what is made from what",
        "",
        "## Views",
        "",
    ]
    for view in catalog.views:
        path = data_of(page_of("view", view.name))
        count = len(view.feature_names)
        lines.append(
            f"- [{view.name}]({path}): {count} features. {_line(view.description)}".strip()
        )
    lines += ["", "## Services", ""]
    for service in catalog.manifest.services:
        path = data_of(page_of("service", service.name))
        lines.append(f"- [{service.name}]({path}): {_line(service.description)}".strip())
    return "\n".join(lines) + "\n"


def _entry(kind: str, definition: Definition, columns: tuple[str, ...] = ()) -> Entry:
    return Entry(
        kind,
        definition.name,
        page_of(kind, definition.name),
        description=safe(definition.description),
        owner=safe(definition.owner),
        tags=tuple(map(safe, definition.tags)),
        columns=columns,
    )


def _features(view: View, catalog: Catalog) -> Iterator[Entry]:
    for feature in catalog.features[view.name]:
        column = feature.column
        yield Entry(
            "feature",
            feature.name,
            page_of("feature", feature.name, view.name),
            view=view.name,
            description=safe(column.description if column else "") or meaning_of(feature),
        )


def _line(text: str) -> str:
    """Return a text in one line of Markdown, without links and markup of its own."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(safe(text).split())[:300])
