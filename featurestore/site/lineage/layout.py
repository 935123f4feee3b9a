"""The layout of lineage: the layer of each node, and its place among the others of its layer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from featurestore.site.lineage.graph import Graph, Node

LAST = ("service", "training set", "model")
"""The kinds that are drawn in the last layers, however short the way to them is."""


@dataclass(frozen=True)
class Layout:
    """Where nodes are drawn: each to the right of all that it is made from.

    Args:
        nodes: All nodes, by layers, and in each from top to bottom.
        layer: The layer of each node, from 0.
    """

    nodes: tuple[Node, ...]
    layer: Mapping[Node, int]

    @classmethod
    def of(cls, graph: Graph) -> "Layout":
        """Return the layout of a graph; nodes are near what they are made from.

        Example:
            >>> paid, activity = Node("source", "paid"), Node("view", "activity")
            >>> Layout.of(Graph.of([(paid, activity)])).layer[activity]
            1
        """
        layer = _depths(graph)
        last = max((layer[node] for node in layer if node.kind not in LAST), default=-1)
        for kind in LAST:
            members = [node for node in layer if node.kind == kind]
            last += bool(members)
            layer |= dict.fromkeys(members, last)
        layers: list[list[Node]] = [[] for _ in range(last + 1)]
        for node in sorted(graph.nodes):
            layers[layer[node]].append(node)
        rank: dict[Node, float] = {}
        for members in layers:
            # Near what they are made from, so that few edges cross. A service may have nothing.
            centre = {
                node: fmean(rank[one] for one in graph.up[node]) if graph.up[node] else 0.0
                for node in members
            }
            members.sort(key=lambda node: (centre[node], node))
            rank |= {node: row / len(members) for row, node in enumerate(members)}
        return cls(tuple(node for members in layers for node in members), layer)

    @cached_property
    def number(self) -> Mapping[Node, int]:
        """The number of each node, which orders the nodes of a layer."""
        return {node: number for number, node in enumerate(self.nodes)}

    def columns(self, shown: Iterable[Node]) -> list[list[Node]]:
        """Return the nodes to draw by columns; layers without any of them take no place."""
        columns: dict[int, list[Node]] = {}
        for node in sorted(shown, key=self.number.__getitem__):
            columns.setdefault(self.layer[node], []).append(node)
        return list(columns.values())


def _depths(graph: Graph) -> dict[Node, int]:
    """Return the length of the longest way to each node."""
    depth = {node: 0 for node in graph.nodes if not graph.up[node]}
    waiting = {node: len(graph.up[node]) for node in graph.nodes}
    queue = list(depth)
    for node in queue:
        for other in graph.down[node]:
            depth[other] = max(depth.get(other, 0), depth[node] + 1)
            waiting[other] -= 1
            if not waiting[other]:
                queue.append(other)
    return depth
