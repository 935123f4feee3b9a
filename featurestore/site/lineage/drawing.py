"""Drawings of lineage as SVG: the neighbours of one node, and the whole graph in layers."""

from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean

from featurestore.site.lineage.graph import Graph, Node

_WIDTH, _HEIGHT, _ROW, _GAP = 168, 26, 34, 56
_LETTERS = 19
_SHOWN = 8
MOST_FEATURES = 40
"""The most features of a drawing of the whole with a node for each feature."""


def neighbours(graph: Graph, node: Node, root: str) -> str:
    """Return a node with what it is made from, and what uses it, as SVG.

    Args:
        graph: The lineage.
        node: The node.
        root: The way from the page to the site's folder, such as ``"../"``.

    Example:
        >>> paid, activity = Node("source", "paid"), Node("view", "activity")
        >>> graph = Graph.of([(paid, activity)])
        >>> neighbours(graph, paid, "../").count("<a ")
        1
    """
    up, down = graph.up.get(node, []), graph.down.get(node, [])
    columns = [_shortened(up), [node], _shortened(down)]
    rows = max(map(len, columns))
    positions: dict[Node, tuple[float, float]] = {}
    for column, members in enumerate(columns):
        top = 22 + (rows - len(members)) * _ROW / 2
        for row, member in enumerate(members):
            positions[member] = column * (_WIDTH + _GAP), top + row * _ROW
    edges = [(one, node) for one in columns[0]] + [(node, other) for other in columns[2]]
    headings = (f"made from {len(up)}", node.kind, f"used by {len(down)}")
    texts = "".join(
        f'<text class="soft" x="{column * (_WIDTH + _GAP)}" y="12">{text}</text>'
        for column, text in enumerate(headings)
    )
    shapes = _shapes(positions, edges, graph, root, chosen=node)
    width = 3 * _WIDTH + 2 * _GAP
    return _svg(f"Lineage of {node.kind} {node.name}", width, 22 + rows * _ROW, texts + shapes)


def whole(graph: Graph, root: str) -> str:
    """Return the whole graph as SVG, with each node to the right of all that it is made from.

    The services are in the last column.
    """
    layers = _layers(graph)
    positions = {
        node: (column * (_WIDTH + _GAP), row * _ROW + 2.0)
        for column, members in enumerate(layers)
        for row, node in enumerate(members)
    }
    edges = [(one, other) for one in graph.nodes for other in graph.down[one]]
    width = max(1, len(layers)) * (_WIDTH + _GAP) - _GAP
    height = max(map(len, layers), default=1) * _ROW
    return _svg(
        "Lineage of all definitions", width, height, _shapes(positions, edges, graph, root)
    )


def _layers(graph: Graph) -> list[list[Node]]:
    depth = _depths(graph)
    last = max(depth.values(), default=0)
    depth |= {node: last for node in depth if node.kind == "service"}
    layers: list[list[Node]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in sorted(graph.nodes):
        layers[depth[node]].append(node)
    rank: dict[Node, float] = {}
    for number, members in enumerate(layers):
        if number:
            # Near what they are made from, so that few edges cross. A service may have nothing.
            centre = {
                node: fmean(rank[one] for one in graph.up[node]) if graph.up[node] else 0.0
                for node in members
            }
            members.sort(key=lambda node: (centre[node], node))
        rank |= {node: row / len(members) for row, node in enumerate(members)}
    return layers


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


def _shortened(nodes: Sequence[Node]) -> list[Node]:
    if len(nodes) <= _SHOWN:
        return list(nodes)
    return [*nodes[: _SHOWN - 1], Node("more", f"and {len(nodes) - _SHOWN + 1} more")]


def _shapes(
    positions: Mapping[Node, tuple[float, float]],
    edges: Sequence[tuple[Node, Node]],
    graph: Graph,
    root: str,
    chosen: Node | None = None,
) -> str:
    lines = "".join(_edge(positions[one], positions[other]) for one, other in edges)
    boxes = "".join(
        _box(node, place, len(graph.down.get(node, ())), root, node == chosen)
        for node, place in positions.items()
    )
    return lines + boxes


def _edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    x, y = start[0] + _WIDTH, start[1] + _HEIGHT / 2
    to_x, to_y = end[0], end[1] + _HEIGHT / 2
    middle = (x + to_x) / 2
    curve = f"M{x:g} {y:g}C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}"
    return f'<path class="edge" d="{curve}"/>'


def _box(node: Node, place: tuple[float, float], users: int, root: str, chosen: bool) -> str:
    x, y = place
    if node.kind == "more":
        return f'<text class="soft" x="{x + 10:g}" y="{y + 17:g}">{escape(node.name)}</text>'
    name = node.name
    short = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
    full = f"{node.kind} {node.view}:{name}" if node.view else f"{node.kind} {name}"
    end = f'x="{x + _WIDTH - 8:g}" y="{y + 17:g}"'
    used = f'<text class="soft" text-anchor="end" {end}>{users}</text>'
    box = (
        f'<rect class="node {node.kind}" x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'rx="4"/><rect class="mark {node.kind}" x="{x:g}" y="{y:g}" width="4" '
        f'height="{_HEIGHT}"/><title>{escape(full)}, used by {users}</title>'
        f'<text x="{x + 12:g}" y="{y + 17:g}">{escape(short)}</text>{used if users else ""}'
    )
    if chosen:
        return f'<g class="chosen">{box}</g>'
    return f'<a href="{escape(root + node.page)}">{box}</a>'


def _svg(label: str, width: float, height: float, content: str) -> str:
    return (
        f'<svg class="lineage" xmlns="http://www.w3.org/2000/svg" role="group" '
        f'aria-label="{escape(label)}" viewBox="-2 -2 {width + 4:g} {height + 4:g}" '
        f'width="{width + 4:g}" height="{height + 4:g}">{content}</svg>'
    )
