"""The lineage of everything by domains, for registries that one drawing cannot show."""

from collections import Counter
from collections.abc import Mapping

from featurestore.site.catalog import Catalog
from featurestore.site.documents.parts import Document
from featurestore.site.domains import domain_of
from featurestore.site.file_names import file_name
from featurestore.site.lineage.graph import Graph, Node

MOST_NODES = 200
"""The most nodes of one drawing."""
NO_DOMAIN = "other"


def domains_of(catalog: Catalog) -> Mapping[Node, str]:
    """Return the domain of each view, source and service."""
    kinds = {
        "view": catalog.views,
        "source": catalog.manifest.sources,
        "service": catalog.manifest.services,
    }
    return {
        Node(kind, each.name): domain_of(each.origin.file, catalog.definitions)
        for kind, definitions in kinds.items()
        for each in definitions
    }


def domain_page(domain: str) -> str:
    """Return the path of a domain's page.

    Example:
        >>> domain_page("fraud")
        'lineage/fraud.html'
    """
    return f"lineage/{file_name(domain)}.html"


def by_domain(graph: Graph, domains: Mapping[Node, str]) -> dict[str, list[Node]]:
    """Return the nodes of each domain; those without one are in `NO_DOMAIN`.

    Args:
        graph: The lineage without features.
        domains: The domain of nodes.
    """
    members: dict[str, list[Node]] = {}
    for node in sorted(graph.nodes):
        members.setdefault(domains.get(node) or NO_DOMAIN, []).append(node)
    return dict(sorted(members.items()))


def with_neighbours(graph: Graph, members: list[Node]) -> Graph:
    """Return the part of a graph with some nodes, and what they use and are used by directly."""
    inner = set(members)
    pairs = ((one, other) for one in graph.nodes for other in graph.down[one])
    return Graph.of((pair for pair in pairs if inner & {*pair}), members)


def domain_rows(graph: Graph, members: Mapping[str, list[Node]]) -> list[Document]:
    """Return for each domain the number of nodes of each kind, and the domains it reads.

    Args:
        graph: The lineage without features.
        members: The nodes of each domain.
    """
    domain = {node: name for name, nodes in members.items() for node in nodes}
    return [
        {
            "name": name,
            "counts": dict(Counter(node.kind for node in nodes)),
            "reads": sorted({domain[up] for node in nodes for up in graph.up[node]} - {name}),
        }
        for name, nodes in members.items()
    ]
