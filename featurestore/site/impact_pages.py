"""The pages on impact: choose a source, choose a column, and see everything that it reaches."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from featurestore.registry.lineage.columns import SourceColumn
from featurestore.registry.lineage.impact import Impact
from featurestore.site.addresses import list_page, page_of
from featurestore.site.catalog import Catalog
from featurestore.site.documents.impact import (
    SHOWN_NAMES,
    column_document,
    source_columns_document,
)
from featurestore.site.documents.parts import Document
from featurestore.site.lineage.drawing import MOST_FEATURES, whole
from featurestore.site.lineage.graph import Graph, Node, without_features
from featurestore.site.render import markup

SECTION = "impact.html"
_SOURCES = 200
_SHOWN_COLUMNS = 40
_MOST_NODES = 60


class ExtraPage(NamedTuple):
    """A page before it is rendered.

    Args:
        path: Its path below the site's folder.
        template: The name of its template.
        title: Its title.
        data: The data that its JSON has.
        more: What its template needs else.
        node: What it is about, whose neighbours are drawn; None without a drawing.
    """

    path: str
    template: str
    title: str
    data: Document
    more: dict[str, Any]
    node: Node | None = None


def impact_pages(catalog: Catalog, graph: Graph) -> Iterator[ExtraPage]:
    """Yield a page for each column, a page for each source, and the list of the sources.

    Args:
        catalog: Everything that the site shows.
        graph: The lineage of all definitions.
    """
    rows: list[Document] = []
    for source in catalog.manifest.sources:
        found = [
            catalog.impacts.of(SourceColumn(source.name, column))
            for column in catalog.impacts.columns.get(source.name, ())
        ]
        for impact in found:
            yield _column_page(impact, graph)
        data = source_columns_document(source, found)
        rows.append({"source": source.name, "columns": [each.column for each in found]})
        path, title = page_of("impact", source.name), f"Impact of {source.name}"
        yield ExtraPage(path, "impact_source", title, data, {"section": SECTION})
    yield from _lists(rows)


def _column_page(impact: Impact, graph: Graph) -> ExtraPage:
    node = Node("column", impact.column, impact.source)
    path, title = node.page, f"Impact of {impact.source}.{impact.column}"
    drawn = _drawn(node, impact, graph, "../" * path.count("/"))
    more = {"section": SECTION, "drawing": drawn, "shown": SHOWN_NAMES}
    return ExtraPage(path, "impact_column", title, column_document(impact), more)


def _lists(rows: list[Document]) -> Iterator[ExtraPage]:
    last = max(1, -(-len(rows) // _SOURCES))
    paths = [(number, list_page("impact", number)) for number in range(1, last + 1)]
    for number, path in paths:
        data = {
            "schema": "featurestore.site.impact_list/1",
            "count": len(rows),
            "rows": rows[(number - 1) * _SOURCES : number * _SOURCES],
        }
        pager = {"number": number, "last": last, "paths": paths}
        more = {"section": SECTION, "pager": pager, "shown": _SHOWN_COLUMNS}
        yield ExtraPage(path, "impact", "Impact", data, more)


def _drawn(node: Node, impact: Impact, graph: Graph, root: str) -> object:
    """Return the column with everything that it reaches as a drawing; None if that is too much."""
    reached = {Node(each.kind, each.name, each.view) for each in impact.reached}
    own = {each for each in reached if each in graph.up}
    starts = [each for each in graph.down.get(Node("source", impact.source), ()) if each in own]
    edges = [(node, each) for each in starts]
    # PERF: not over all nodes of the graph, which a large registry has for each of its columns.
    edges += [(one, other) for one in sorted(own) for other in graph.down[one] if other in own]
    part = Graph.of(edges)
    if len(impact.features) > MOST_FEATURES:
        part = without_features(part)
    if not edges or len(part.nodes) > _MOST_NODES:
        return None
    return markup(whole(part, root))
