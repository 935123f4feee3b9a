"""All pages of a site, each as its path, its HTML and its data."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from featurestore.site.addresses import list_page, page_of
from featurestore.site.catalog import Catalog
from featurestore.site.documents.definitions import (
    entity_document,
    service_document,
    source_document,
)
from featurestore.site.documents.overview import (
    overview_document,
    version_document,
    version_summary,
)
from featurestore.site.documents.parts import Document, run_document
from featurestore.site.documents.views import ViewDocuments
from featurestore.site.lineage.drawing import MOST_FEATURES, neighbours, whole
from featurestore.site.lineage.graph import Graph, Node, lineage_of, without_features
from featurestore.site.render import Renderer, drawing
from featurestore.site.rules import interval_of
from featurestore.site.timeline.window import description, window_drawing

ROWS = 500
"""The most rows of one page of a list, and the most runs shown."""
_SHOWN_DEPENDENTS = 200
_COLUMNS = {
    "views": (
        "name",
        "description",
        "entities",
        "source",
        "state",
        "newest event",
        "owner",
        "tags",
    ),
    "features": ("name", "meaning", "view", "type", "used_by"),
    "entities": ("name", "description", "owner", "tags"),
    "sources": ("name", "type", "description", "owner", "tags"),
    "services": ("name", "description", "views", "owner", "tags"),
}
_KINDS = {
    "views": "view",
    "features": "feature",
    "entities": "entity",
    "sources": "source",
    "services": "service",
}


class Page(NamedTuple):
    """A page.

    Args:
        path: Its path below the site's folder.
        html: Its HTML.
        data: The data that its JSON has.
    """

    path: str
    html: str
    data: Document


class Pages:
    """Makes the pages of a site.

    Args:
        catalog: Everything that the site shows.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog, self._renderer = catalog, Renderer(catalog)
        self._graph = lineage_of(catalog)
        self._rows: dict[str, list[Document]] = {kind: [] for kind in _COLUMNS}

    def __iter__(self) -> Iterator[Page]:
        """Yield every page. Lists come after the pages that they list."""
        yield self._plain("index.html", "overview", "Overview", overview_document(self._catalog))
        for view in self._catalog.views:
            yield from self._view_pages(ViewDocuments(view, self._catalog))
        manifest = self._catalog.manifest
        yield from self._definitions("entities", manifest.entities, entity_document)
        yield from self._definitions("sources", manifest.sources, source_document)
        yield from self._definitions("services", manifest.services, service_document)
        for kind, rows in self._rows.items():
            yield from self._list(kind, rows)
        yield from self._history()
        runs = [run_document(run) for run in reversed(self._catalog.runs[-ROWS:])]
        data = {"schema": "featurestore.site.runs/1", "count": len(self._catalog.runs)}
        yield self._plain("runs.html", "runs", "Runs", {**data, "rows": runs})
        yield self._whole_lineage()
        search = {"schema": "featurestore.site.search/1"}
        yield self._plain("search.html", "search", "Search", search)

    def _view_pages(self, documents: ViewDocuments) -> Iterator[Page]:
        data = documents.view
        self._rows["views"].append(_list_row(data, _COLUMNS["views"]))
        path = page_of("view", data["name"])
        more = self._drawn(Node("view", data["name"]), path)
        yield self._plain(path, "view", data["name"], data, section="views.html", **more)
        for feature in documents.features:
            own = documents.feature(feature)
            self._rows["features"].append(_list_row(own, _COLUMNS["features"]))
            path = page_of("feature", feature.name, data["name"])
            interval = interval_of(feature)
            drawn = None if interval is None else drawing(window_drawing(interval))
            more = {
                **self._drawn(Node("feature", feature.name, data["name"]), path),
                "drawing": drawn,
                "caption": "" if interval is None else description(interval),
                "section": "features.html",
            }
            yield self._plain(path, "feature", feature.name, own, **more)

    def _definitions(
        self, kind: str, definitions: Iterable[Any], document: Callable[[Any, Catalog], Document]
    ) -> Iterator[Page]:
        for definition in definitions:
            data, one = document(definition, self._catalog), _KINDS[kind]
            self._rows[kind].append(_list_row(data, _COLUMNS[kind]))
            path, node = page_of(one, definition.name), Node(one, definition.name)
            more = self._drawn(node, path) if kind != "entities" else {}
            if kind == "sources":
                more |= self._dependents(node)
            yield self._plain(path, one, definition.name, data, section=f"{kind}.html", **more)

    def _dependents(self, node: Node) -> dict[str, object]:
        reached = self._graph.reachable(node)
        more = max(0, len(reached) - _SHOWN_DEPENDENTS)
        return {"reached": reached[:_SHOWN_DEPENDENTS], "more": more}

    def _list(self, kind: str, rows: Sequence[Document]) -> Iterator[Page]:
        last = max(1, -(-len(rows) // ROWS))
        paths = [(number, list_page(kind, number)) for number in range(1, last + 1)]
        for number, path in paths:
            shown = rows[(number - 1) * ROWS : number * ROWS]
            data = {
                "schema": f"featurestore.site.{kind}/1",
                "count": len(rows),
                "pages": last,
                "rows": shown,
            }
            more = {
                "columns": _COLUMNS[kind],
                "numbers": ("used_by",),
                "kind": _KINDS[kind],
                "pager": {"number": number, "last": last, "paths": paths},
                "section": f"{kind}.html",
            }
            yield self._plain(path, "list", kind.capitalize(), data, **more)

    def _history(self) -> Iterator[Page]:
        history = self._catalog.history
        rows = [version_summary(version) for version in reversed(history)]
        data = {"schema": "featurestore.site.history/1", "rows": rows}
        yield self._plain("history.html", "history", "History", data)
        for number, version in enumerate(history):
            own = version_document(version, history[number - 1] if number else None)
            own["next"] = version.version + 1 if number + 1 < len(history) else None
            path, title = f"history/{version.version}.html", f"Version {version.version}"
            yield self._plain(path, "version", title, own, section="history.html")

    def _whole_lineage(self) -> Page:
        features = sum(map(len, self._catalog.features.values()))
        with_features = features <= MOST_FEATURES
        graph = self._graph if with_features else without_features(self._graph)
        data = {
            "schema": "featurestore.site.lineage/1",
            "with_features": with_features,
            "nodes": [_node(node) for node in self._graph.nodes],
            "edges": _edges(self._graph),
        }
        drawn = drawing(whole(graph, ""))
        return self._plain("lineage.html", "lineage", "Lineage", data, lineage=drawn)

    def _drawn(self, node: Node, path: str) -> dict[str, object]:
        return {"lineage": drawing(neighbours(self._graph, node, "../" * path.count("/")))}

    def _plain(self, path: str, template: str, title: str, data: Document, **more: Any) -> Page:
        return Page(path, self._renderer.page(path, template, data, title=title, **more), data)


def _list_row(data: Document, columns: Sequence[str]) -> Document:
    row = {column: data[column] for column in columns if column in data}
    extra = {"freshness": data["freshness"]} if "state" in columns else {}
    return {**row, **extra, "view": data.get("view")}


def _node(node: Node) -> str:
    return f"{node.kind} {node.view}:{node.name}" if node.view else f"{node.kind} {node.name}"


def _edges(graph: Graph) -> list[tuple[int, int]]:
    """Return each edge as the numbers of its nodes."""
    numbers = {node: number for number, node in enumerate(graph.nodes)}
    return [(numbers[one], numbers[other]) for one in numbers for other in graph.down[one]]
