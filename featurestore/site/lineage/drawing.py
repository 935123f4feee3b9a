"""Drawings of lineage as SVG: the neighbours of one node, and a whole graph.

``assets/lineage.js`` draws the same when a reader shows or hides neighbours.
"""

from collections.abc import Iterable, Sequence
from html import escape

from featurestore.site.lineage.graph import Graph, Node
from featurestore.site.lineage.layout import Layout
from featurestore.site.lineage.places import HEIGHT, WIDTH, Lane, More, Place, Places, Positions

_LETTERS, _BEGINNING, _END = 22, 14, 7
SHOWN = 8
"""The most neighbours of one side of a node that are shown at first."""
MOST_FEATURES = 40
"""The most features of a drawing of the whole with a node for each feature."""


def neighbours(graph: Graph, layout: Layout, node: Node, root: str) -> str:
    """Return a node with what it is made from, and what uses it, as SVG.

    Args:
        graph: The lineage.
        layout: Its layout.
        node: The node.
        root: The way from the page to the site's folder, such as ``"../"``.

    Example:
        >>> paid, activity = Node("source", "paid"), Node("view", "activity")
        >>> graph = Graph.of([(paid, activity)])
        >>> neighbours(graph, Layout.of(graph), paid, "../").count("<a ")
        1
    """
    sides = {"up": graph.up.get(node, []), "down": graph.down.get(node, [])}
    shown = {side: _first(found) for side, found in sides.items()}
    columns: list[list[Place]] = [
        [*column] for column in layout.columns({node, *shown["up"], *shown["down"]})
    ]
    for side, found in sides.items():
        if hidden := len(found) - len(shown[side]):
            (column,) = (each for each in columns if shown[side][-1] in each)
            column.append(More(node, side, hidden))
    drawn = _Drawing(graph, layout, root, node)
    return drawn.svg(f"Lineage of {node.kind} {node.name}", columns)


def whole(graph: Graph, root: str, label: str = "Lineage") -> str:
    """Return a whole graph as SVG, with each node to the right of all that it is made from."""
    layout = Layout.of(graph)
    columns: list[list[Place]] = [[*column] for column in layout.columns(graph.nodes)]
    return _Drawing(graph, layout, root, None).svg(label, columns)


def _first(nodes: Sequence[Node]) -> Sequence[Node]:
    """Return the neighbours to show; one place is for the number of the others."""
    return nodes if len(nodes) <= SHOWN else nodes[: SHOWN - 1]


class _Drawing:
    def __init__(self, graph: Graph, layout: Layout, root: str, chosen: Node | None) -> None:
        self._graph, self._layout, self._root, self._chosen = graph, layout, root, chosen

    def svg(self, label: str, columns: Sequence[Sequence[Place]]) -> str:
        places = Places.of(columns, self._edges(columns), self._chosen is not None)
        lines = "".join(_line(places.at[one], places.at[other]) for one, other in places.lines)
        passed = "".join(_lane(*at) for stop, at in places.at.items() if isinstance(stop, Lane))
        boxes = "".join(self._place(place, places.at) for members in columns for place in members)
        number = (
            "" if self._chosen is None else f' data-node="{self._layout.number[self._chosen]}"'
        )
        return (
            f'<svg class="lineage" xmlns="http://www.w3.org/2000/svg" role="group" '
            f'aria-label="{escape(label)}" viewBox="0 0 {places.width:g} {places.height:g}" '
            f'width="{places.width:g}" height="{places.height:g}"{number}>'
            f"{lines}{passed}{boxes}</svg>"
        )

    def _edges(self, columns: Iterable[Iterable[Place]]) -> list[tuple[Place, Place]]:
        edges: list[tuple[Place, Place]] = []
        places = [place for members in columns for place in members]
        nodes = {place for place in places if isinstance(place, Node)}
        for place in places:
            if isinstance(place, Node):
                edges += [(place, other) for other in self._graph.down[place] if other in nodes]
            elif place.side == "up":
                edges.append((place, place.node))
            else:
                edges.append((place.node, place))
        return edges

    def _place(self, place: Place, places: Positions) -> str:
        x, y = places[place]
        if isinstance(place, More):
            text = f'<text class="soft" x="{x + 32:g}" y="{y + 18:g}">{place.hidden} more</text>'
            return f'<g data-side="{place.side}" data-more="{place.hidden}">{text}</g>'
        full = f"{place.kind} {place.view}:{place.name}" if place.view else None
        title = f"<title>{escape(full or f'{place.kind} {place.name}')}</title>"
        name = place.name
        kind = place.kind.replace(" ", "-")
        short = _shortened(name)
        box = (
            f'<rect class="node" x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
            f'<rect class="mark {kind}" x="{x + 15:g}" y="{y + 9:g}" width="10" '
            f'height="10" rx="3"/><text x="{x + 32:g}" y="{y + 18:g}">{escape(short)}</text>'
        )
        pills = "" if self._chosen is None else self._pills(place, places)
        if place == self._chosen:
            return f'<g class="chosen">{title}{box}</g>{pills}'
        return f'<a href="{escape(self._root + place.page)}">{title}{box}</a>{pills}'

    def _pills(self, node: Node, places: Positions) -> str:
        """Return the counts of a node's neighbours, where some are hidden or can be."""
        (x, y), is_open = places[node], node == self._chosen
        return "".join(
            _pill(side, len(found), x + shift, y, is_open, self._layout.number[node])
            for side, found, shift in (
                ("up", self._graph.up[node], 0),
                ("down", self._graph.down[node], WIDTH),
            )
            if (found and is_open) or any(other not in places for other in found)
        )


def _shortened(name: str) -> str:
    """Return a name that fits its box. The end stays: features differ by their windows.

    Example:
        >>> _shortened("merchant_id_count_distinct_24h")
        'merchant_id_co…nct_24h'
    """
    return name if len(name) <= _LETTERS else f"{name[:_BEGINNING]}…{name[-_END:]}"


def _pill(side: str, count: int, x: float, y: float, is_open: bool, number: int) -> str:
    width = 12 + 7 * len(str(count))
    x += (10 - width / 2) * (1 if side == "up" else -1)
    state = "" if is_open else " closed"
    return (
        f'<g class="pill{state}" data-side="{side}" data-of="{number}">'
        f'<rect x="{x - width / 2:g}" y="{y + 6:g}" width="{width}" height="16" rx="8"/>'
        f'<text text-anchor="middle" x="{x:g}" y="{y + 18:g}">{count}</text></g>'
    )


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    x, y = start[0] + WIDTH, start[1] + HEIGHT / 2
    to_x, to_y = end[0], end[1] + HEIGHT / 2
    middle = (x + to_x) / 2
    curve = f"M{x:g} {y:g}C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}"
    return f'<path class="edge" d="{curve}"/>'


def _lane(x: float, y: float) -> str:
    return f'<path class="edge" d="M{x:g} {y + HEIGHT / 2:g}h{WIDTH}"/>'
