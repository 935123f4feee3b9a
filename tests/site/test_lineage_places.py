"""A line of a drawing of lineage must not pass behind a box: it would look like two edges."""

from hypothesis import given
from hypothesis import strategies as st

from featurestore.site.lineage.graph import Graph, Node
from featurestore.site.lineage.layout import Layout
from featurestore.site.lineage.places import HEIGHT, WIDTH, Lane, Place, Places

NODES = [Node("view", f"v{number:02}") for number in range(12)]
PAIRS = [(one, other) for one in NODES for other in NODES if one < other]


@given(st.lists(st.sampled_from(PAIRS), unique=True, max_size=30), st.booleans())
def test_lines_go_between_boxes_to_the_ends_of_their_edges(
    edges: list[tuple[Node, Node]], is_centred: bool
) -> None:
    graph = Graph.of(edges, NODES)
    columns: list[list[Place]] = [[*each] for each in Layout.of(graph).columns(graph.nodes)]

    places = Places.of(columns, edges, is_centred)

    assert {
        (start, end.end if isinstance(end, Lane) else end)
        for start, end in places.lines
        if isinstance(start, Node)
    } == {*edges}
    boxes = [places.at[node] for node in NODES]
    lanes = [(x, y + HEIGHT / 2) for stop, (x, y) in places.at.items() if isinstance(stop, Lane)]
    assert not [
        (box, lane)
        for box in boxes
        for lane in lanes
        if box[0] == lane[0] and box[1] - 3 < lane[1] < box[1] + HEIGHT + 3
    ]
    for start, end in places.lines:
        assert places.at[start][0] + WIDTH < places.at[end][0]
    assert all(0 <= y <= places.height - HEIGHT for _, y in boxes)
    assert len({*lanes}) == len(lanes)


def test_lines_to_one_end_share_their_lanes() -> None:
    one, other, middle, after, end = NODES[:5]
    edges = [(one, middle), (middle, after), (one, end), (other, end), (after, end)]

    places = Places.of([[one, other], [middle], [after], [end]], edges, False)

    assert [stop for stop in places.at if isinstance(stop, Lane)] == [Lane(end, 1), Lane(end, 2)]
    assert len(places.lines) == 7
