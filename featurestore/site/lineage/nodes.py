"""The nodes of lineage for ``assets/lineage.js``, which shows and hides neighbours."""

from collections.abc import Iterator

from featurestore.site.lineage.graph import Graph
from featurestore.site.lineage.layout import Layout
from featurestore.site.scripts import script

CHUNK = 100
"""The nodes of one script: ``assets/lineage.js`` has the same number."""


def node_scripts(graph: Graph, layout: Layout) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each script.

    A node is its kind, name, view, page, layer, and the numbers of the nodes that it is made from
    and of those that use it.

    Example:
        >>> from featurestore.site.lineage.graph import Node
        >>> graph = Graph.of([(Node("source", "paid"), Node("view", "cards"))])
        >>> ((path, text),) = node_scripts(graph, Layout.of(graph))
        >>> path, text[:66]
        ('lineage/n-0.js', 'featurestoreNodes(0,[["source","paid","","sources/paid.html",0,[],')
    """
    number = layout.number
    for chunk, start in enumerate(range(0, len(layout.nodes), CHUNK)):
        rows = [
            [
                *(node.kind, node.name, node.view, node.page, layout.layer[node]),
                [number[other] for other in graph.up[node]],
                [number[other] for other in graph.down[node]],
            ]
            for node in layout.nodes[start : start + CHUNK]
        ]
        yield f"lineage/n-{chunk}.js", script("featurestoreNodes", chunk, rows)
