"""All pages of a site, each as its path, its HTML and its data."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from featurestore.registry.meaning import interval_of
from featurestore.site.addresses import LISTS, list_page, page_of
from featurestore.site.catalog import Catalog
from featurestore.site.documents.definitions import (
    entity_document,
    service_document,
    source_document,
)
from featurestore.site.documents.history import (
    CHUNK as VERSIONS,
)
from featurestore.site.documents.history import (
    comparison_scripts,
    version_document,
    version_summary,
)
from featurestore.site.documents.overview import overview_document
from featurestore.site.documents.parts import Document, run_document
from featurestore.site.documents.views import ViewDocuments
from featurestore.site.documents.words import WORDS
from featurestore.site.impact_pages import ExtraPage, impact_pages
from featurestore.site.lineage.domains import (
    MOST_NODES,
    by_domain,
    domain_page,
    domain_rows,
    domains_of,
    with_neighbours,
)
from featurestore.site.lineage.drawing import MOST_FEATURES, neighbours, whole
from featurestore.site.lineage.graph import Graph, Node, lineage_of, without_features
from featurestore.site.lineage.layout import Layout
from featurestore.site.lineage.nodes import node_scripts
from featurestore.site.lists.listing import CHUNK, PAGE, Listing, near_pages
from featurestore.site.monitoring_page import monitoring_page
from featurestore.site.render import Renderer, markup
from featurestore.site.statistics.drawings import histogram_drawing
from featurestore.site.statistics.over_time import lines_over_time
from featurestore.site.timeline.window import description, window_drawing
from featurestore.site.trained_pages import trained_pages

ROWS = 500
"""The most runs shown."""
_SHOWN_DEPENDENTS = 40


class Page(NamedTuple):
    """A page.

    Args:
        path: Its path below the site's folder.
        html: Its HTML.
        data: The data that its JSON has.
        scripts: The path and text of each script that the page's own scripts load.
    """

    path: str
    html: str
    data: Document
    scripts: Iterable[tuple[str, str]] = ()


class Pages:
    """Makes the pages of a site.

    Args:
        catalog: Everything that the site shows.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog, self._renderer = catalog, Renderer(catalog)
        self._graph = lineage_of(catalog)
        self._layout = Layout.of(self._graph)
        self._lists = {kind: Listing(kind) for kind in LISTS}

    def __iter__(self) -> Iterator[Page]:
        """Yield every page. Lists come after the pages that they list."""
        yield self._plain("index.html", "overview", "Overview", overview_document(self._catalog))
        for view in self._catalog.views:
            yield from self._view_pages(ViewDocuments(view, self._catalog))
        manifest = self._catalog.manifest
        yield from self._definitions("entity", manifest.entities, entity_document)
        yield from self._definitions("source", manifest.sources, source_document)
        yield from self._definitions("service", manifest.services, service_document)
        for page in trained_pages(self._catalog):
            yield self._extra(page)
            if page.node is not None:
                self._lists[page.node.kind].add(page.data)
        for listing in self._lists.values():
            yield from self._list(listing)
        yield from self._history()
        runs = [run_document(run) for run in reversed(self._catalog.runs[-ROWS:])]
        data = {"schema": "featurestore.site.runs/1", "count": len(self._catalog.runs)}
        yield self._plain("runs.html", "runs", "Runs", {**data, "rows": runs})
        yield from self._whole_lineage()
        yield from map(self._extra, impact_pages(self._catalog, self._graph))
        yield self._extra(monitoring_page(self._catalog))
        words = {"schema": "featurestore.site.words/1", "words": dict(WORDS)}
        yield self._plain("words.html", "words", "Words", words)
        search = {"schema": "featurestore.site.search/1"}
        yield self._plain("search.html", "search", "Search", search)

    def _extra(self, page: ExtraPage) -> Page:
        drawn = {} if page.node is None else self._drawn(page.node, page.path)
        return self._plain(page.path, page.template, page.title, page.data, **page.more, **drawn)

    def _view_pages(self, documents: ViewDocuments) -> Iterator[Page]:
        data = documents.view
        self._lists["view"].add(data)
        path = page_of("view", data["name"])
        more = self._drawn(Node("view", data["name"]), path)
        yield self._plain(path, "view", data["name"], data, section="views.html", **more)
        for feature in documents.features:
            own = documents.feature(feature)
            self._lists["feature"].add(own)
            path = page_of("feature", feature.name, data["name"])
            interval = interval_of(feature)
            drawn = None if interval is None else markup(window_drawing(interval))
            more = {
                **self._drawn(Node("feature", feature.name, data["name"]), path),
                "drawing": drawn,
                "caption": "" if interval is None else description(interval),
                "inputs_of": self._catalog.computing.get((data["name"], feature.name), ()),
                "section": "features.html",
                **_statistics(own["statistics"]),
            }
            yield self._plain(path, "feature", feature.name, own, **more)

    def _definitions(
        self, kind: str, definitions: Iterable[Any], document: Callable[[Any, Catalog], Document]
    ) -> Iterator[Page]:
        for definition in definitions:
            data = document(definition, self._catalog)
            self._lists[kind].add(data)
            path, node = page_of(kind, definition.name), Node(kind, definition.name)
            more = self._drawn(node, path) if kind != "entity" else {}
            if kind == "source":
                more |= self._dependents(node)
            section = list_page(LISTS[kind])
            yield self._plain(path, kind, definition.name, data, section=section, **more)

    def _dependents(self, node: Node) -> dict[str, object]:
        reached: dict[str, list[Node]] = {}
        for each in self._graph.reachable(node):
            reached.setdefault(each.kind, []).append(each)
        return {"reached": reached, "shown": _SHOWN_DEPENDENTS}

    def _list(self, listing: Listing) -> Iterator[Page]:
        folder, facets = listing.folder, listing.facets()
        chunks = [self._renderer.rows(listing.kind, rows) for rows in listing.chunks()]
        for data in listing.pages():
            number, shown = data["page"], PAGE // CHUNK
            near = [(each, list_page(folder, each)) for each in near_pages(number, data["pages"])]
            page = self._plain(
                list_page(folder, number),
                "list",
                listing.title,
                data,
                listing=listing,
                facets=facets,
                near=near,
                rows=markup("".join(chunks[(number - 1) * shown : number * shown])),
                section=list_page(folder),
            )
            scripts = listing.scripts(facets, chunks) if number == 1 else ()
            yield page._replace(scripts=scripts)

    def _history(self) -> Iterator[Page]:
        history = self._catalog.history
        rows = [version_summary(version) for version in reversed(history)]
        data = {"schema": "featurestore.site.history/1", "rows": rows}
        yield self._plain("history.html", "history", "History", data)
        documents = []
        for number, version in enumerate(history):
            own = version_document(version, history[number - 1] if number else None)
            own["next"] = version.version + 1 if number + 1 < len(history) else None
            documents.append(own)
            path, title = f"history/{version.version}.html", f"Version {version.version}"
            yield self._plain(path, "version", title, own, section="history.html")
        data = {"schema": "featurestore.site.compare/1", "versions": rows}
        more = {"section": "history.html", "chunk": VERSIONS}
        page = self._plain("compare.html", "compare", "Compare versions", data, **more)
        yield page._replace(scripts=comparison_scripts(documents))

    def _whole_lineage(self) -> Iterator[Page]:
        features = sum(map(len, self._catalog.features.values()))
        with_features = features <= MOST_FEATURES
        graph = self._graph if with_features else without_features(self._graph)
        members = by_domain(graph, domains_of(self._catalog))
        whole_graph = None if len(graph.nodes) > MOST_NODES else graph
        data = {
            "schema": "featurestore.site.lineage/1",
            "with_features": with_features,
            **_nodes_and_edges(self._graph),
        }
        domains = domain_rows(graph, members)
        page = self._lineage_page("lineage.html", "Lineage", data, whole_graph, domains=domains)
        yield page._replace(scripts=node_scripts(self._graph, self._layout))
        if whole_graph is None:
            for domain in members:
                yield self._domain_lineage(domain, with_neighbours(graph, members[domain]))

    def _domain_lineage(self, domain: str, graph: Graph) -> Page:
        data = {
            "schema": "featurestore.site.domain_lineage/1",
            "domain": domain,
            **_nodes_and_edges(graph),
        }
        drawn = None if len(graph.nodes) > MOST_NODES else graph
        title, path = f"Lineage of {domain}", domain_page(domain)
        starts = [node for node in graph.nodes if not graph.up[node]]
        return self._lineage_page(path, title, data, drawn, starts=starts)

    def _lineage_page(
        self, path: str, title: str, data: Document, graph: Graph | None, **more: Any
    ) -> Page:
        drawn = None if graph is None else markup(whole(graph, "../" * path.count("/"), title))
        more |= {"section": "lineage.html", "domain_page": domain_page, "drawing": drawn}
        return self._plain(path, "lineage", title, data, **more)

    def _drawn(self, node: Node, path: str) -> dict[str, object]:
        root = "../" * path.count("/")
        return {
            "lineage": markup(neighbours(self._graph, self._layout, node, root)),
            "made_from": self._graph.up.get(node, []),
            "users": self._graph.down.get(node, []),
        }

    def _plain(self, path: str, template: str, title: str, data: Document, **more: Any) -> Page:
        return Page(path, self._renderer.page(path, template, data, title=title, **more), data)


def _statistics(data: Document | None) -> dict[str, object]:
    """Return the statistics of a feature with their drawings."""
    if data is None:
        return {"statistics": None, "histogram": "", "lines": []}
    lines = [{**line, "drawing": markup(line["drawing"])} for line in lines_over_time(data)]
    drawn = markup(
        histogram_drawing(data["histogram"], "keys" if data["kind"] == "features" else "rows")
    )
    return {"statistics": data, "histogram": drawn, "lines": lines}


def _node(node: Node) -> str:
    return f"{node.kind} {node.view}:{node.name}" if node.view else f"{node.kind} {node.name}"


def _nodes_and_edges(graph: Graph) -> Document:
    """Return the nodes, and each edge as the numbers of its nodes."""
    numbers = {node: number for number, node in enumerate(graph.nodes)}
    edges = [(numbers[one], numbers[other]) for one in numbers for other in graph.down[one]]
    return {"nodes": [_node(node) for node in numbers], "edges": edges}
