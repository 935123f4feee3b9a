"""The lineage of all definitions: sources, views, features and services, and what uses what."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.view import FeatureReference, FeatureView
from featurestore.registry.features import View
from featurestore.site.addresses import page_of
from featurestore.site.catalog import Catalog


class Node(NamedTuple):
    """A definition or a feature.

    Args:
        kind: ``"column"``, ``"source"``, ``"view"``, ``"feature"``, ``"service"``,
            ``"training set"`` or ``"model"``.
        name: Its name.
        view: The view of a feature, or the source of a column; ``""`` for others.
    """

    kind: str
    name: str
    view: str = ""

    @property
    def page(self) -> str:
        """The path of its page."""
        return page_of(self.kind, self.name, self.view or None)


@dataclass(frozen=True)
class Graph:
    """Nodes, and for each the nodes that it is made from, and those that use it.

    Example:
        >>> graph = Graph.of([(Node("source", "paid"), Node("view", "activity"))])
        >>> graph.down[Node("source", "paid")]
        [Node(kind='view', name='activity', view='')]
    """

    up: Mapping[Node, list[Node]] = field(default_factory=dict)
    down: Mapping[Node, list[Node]] = field(default_factory=dict)

    @classmethod
    def of(cls, edges: Iterable[tuple[Node, Node]], alone: Iterable[Node] = ()) -> "Graph":
        """Return the graph of edges, each from what is used to what uses it."""
        up: dict[Node, list[Node]] = {node: [] for node in alone}
        down: dict[Node, list[Node]] = {node: [] for node in alone}
        for one, other in dict.fromkeys(edges):
            for node in (one, other):
                up.setdefault(node, [])
                down.setdefault(node, [])
            up[other].append(one)
            down[one].append(other)
        return cls(up, down)

    @property
    def nodes(self) -> list[Node]:
        """All nodes, in the order of the edges."""
        return list(self.up)

    def reachable(self, node: Node) -> list[Node]:
        """Return everything that is made from a node, directly or not, in breadth-first order.

        Example:
            >>> a, b, c = (Node("view", name) for name in "abc")
            >>> [node.name for node in Graph.of([(a, b), (b, c)]).reachable(a)]
            ['b', 'c']
        """
        found = dict.fromkeys(self.down[node])
        queue = list(found)
        for each in queue:
            new = [other for other in self.down[each] if other not in found]
            found |= dict.fromkeys(new)
            queue.extend(new)
        return list(found)


def lineage_of(catalog: Catalog) -> Graph:
    """Return the lineage of all definitions."""
    sources = [Node("source", source.name) for source in catalog.manifest.sources]
    services = [Node("service", service.name) for service in catalog.manifest.services]
    edges = chain(_edges(catalog), _trained_edges(catalog))
    return Graph.of(edges, [*sources, *services, *_trained(catalog)])


def without_features(graph: Graph) -> Graph:
    """Return the same lineage with each feature drawn together with its view."""

    def coarse(node: Node) -> Node:
        return Node("view", node.view) if node.kind == "feature" else node

    pairs = ((coarse(one), coarse(other)) for one in graph.nodes for other in graph.down[one])
    return Graph.of(
        (pair for pair in pairs if pair[0] != pair[1]),
        (node for node in graph.nodes if node.kind != "feature"),
    )


def _edges(catalog: Catalog) -> Iterator[tuple[Node, Node]]:
    for view in catalog.views:
        node = Node("view", view.name)
        yield from ((one, node) for one in _inputs(view))
        yield from ((node, Node("feature", name, view.name)) for name in view.feature_names)
    for service in catalog.manifest.services:
        for use in service.references:
            for name in use.feature_names:
                yield Node("feature", name, use.view.name), Node("service", service.name)


def _trained(catalog: Catalog) -> list[Node]:
    saved = [Node("training set", name) for name in catalog.training_sets]
    return [*saved, *(Node("model", name) for name in catalog.models_by_name)]


def _trained_edges(catalog: Catalog) -> Iterator[tuple[Node, Node]]:
    """Yield what saved training sets are made from, and the models that learned from them."""
    applied = {service.name: service for service in catalog.manifest.services}
    for name, versions in catalog.training_sets.items():
        node, newest = Node("training set", name), versions[-1]
        through = [applied[service] for service in newest.services if service in applied]
        yield from ((Node("service", service.name), node) for service in through)
        of_services = {
            (use.view.name, feature)
            for service in through
            for use in service.references
            for feature in use.feature_names
        }
        for _, view, feature in newest.features:
            is_known = (view, feature) in catalog.impacts.lineage.features
            if is_known and (view, feature) not in of_services:
                yield Node("feature", feature, view), node
    for name, models in catalog.models_by_name.items():
        if models[-1].training_set in catalog.training_sets:
            yield Node("training set", models[-1].training_set), Node("model", name)


def _inputs(view: View) -> list[Node]:
    if isinstance(view, FeatureView):
        kind = "view" if isinstance(view.source, FeatureView) else "source"
        return [Node(kind, view.source.name)]
    return [*_used_features(view), *(Node("source", source.name) for source in view.requests)]


def _used_features(view: OnDemandFeatureView) -> Iterator[Node]:
    uses: tuple[FeatureReference, ...] = view.uses
    for use in uses:
        yield from (Node("feature", name, use.view.name) for name in use.feature_names)
