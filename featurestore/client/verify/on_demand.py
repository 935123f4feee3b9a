"""Checking on-demand features: each sampled row by itself, beside its answer among the others.

Inputs are those that the engine answered, which are checked by themselves. Reference inputs would
do the same but for floats: within the rules' bound, but not equal, they could turn a comparison.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pyarrow as pa

from featurestore.client.on_demand import inputs_used, transform_text
from featurestore.client.request import Request
from featurestore.client.verify.command import explain_command
from featurestore.client.verify.report import CheckedView, Difference, Skipped
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.engines.bind import bind
from featurestore.engines.explain.cell import shown_value
from featurestore.engines.on_demand.compute import Function, compute_untried, inputs_of
from featurestore.engines.on_demand.inputs import bind_request_inputs
from featurestore.engines.on_demand.row_wise import same_answer
from featurestore.engines.retrieval.answer import answer
from featurestore.errors import OnDemandError, SumOverflowError, nearest
from featurestore.query.nodes import Input, OnDemand, Output, Query
from featurestore.store.delta.snapshot import Snapshot

MOST_ALONE = 5_000
"""How many rows are computed by themselves for one on-demand view: SQL takes some 20 s."""

FAILS = "it fails"
"""In place of the value of a row that cannot be computed by itself."""


@dataclass(frozen=True)
class Drawn:
    """The rows that were drawn, to ask on-demand features at.

    Args:
        request: What is asked.
        snapshots: The pinned tables.
        tables: The spine's rows alone; or those around the events of each view.
        from_spine: Whether they are the spine's.
        seed: Draws those that are computed by themselves.
    """

    request: Request
    snapshots: Mapping[str, Snapshot]
    tables: Sequence[pa.Table]
    from_spine: bool
    seed: int


def check_on_demand(
    query: Query, node: OnDemand, function: Function | None, drawn: Drawn
) -> CheckedView | Skipped:
    """Return what differs between rows by themselves and among others, or why none was asked.

    Args:
        query: What is asked.
        node: One of its on-demand views.
        function: The Python function, where its transform is one.
        drawn: The rows.

    Raises:
        OnDemandError: The expression or function fails for the rows together.
        SpineError: A request value of the spine is not as declared.
    """
    own = _own(query, node)
    needed = _columns(own)
    rows = next((t for t in drawn.tables if needed <= set(t.column_names)), None)
    if rows is None:
        return _skipped(node, drawn)
    try:
        inputs, keys = _inputs(own, rows, drawn)
    except SumOverflowError as error:
        names = tuple(output.output for output in node.outputs)
        return Skipped(node.view, names, f"of an input, {error.found}", error.fix)
    places: Sequence[int] = range(inputs.num_rows)
    if inputs.num_rows > MOST_ALONE:
        places = sorted(Random(drawn.seed).sample(places, MOST_ALONE))
    batch = _Batch(node, function, inputs, keys, drawn.request.features)
    return CheckedView(
        node.view,
        None,
        rows=len(places),
        cells=len(places) * len(node.outputs),
        left_out=inputs.num_rows - len(places),
        differences=tuple(_differences(batch, places)) if places else (),
        features=tuple(output.output for output in node.outputs),
    )


def users_of(query: Query, column: str) -> tuple[str, ...]:
    """Return the on-demand features that are computed from a stored one, as ``view:feature``.

    Args:
        query: What is asked.
        column: The stored feature's name in the engine's answer.

    Example:
        >>> users_of(Query("ask", ()), "amount")
        ()
    """
    return tuple(
        f"{node.view}:{output.output}"
        for node in query.on_demand
        for output in node.outputs
        if column in [each.column for each in inputs_used(node, output.name) if _is_stored(each)]
    )


@dataclass(frozen=True)
class _Batch:
    """The rows that were asked together: what the transform sees, and each one's keys."""

    node: OnDemand
    function: Function | None
    inputs: pa.Table
    keys: pa.Table
    features: str | Sequence[str]


def _own(query: Query, node: OnDemand) -> Query:
    """Return the part of a query that one on-demand view needs."""
    wanted = {each.column for each in node.stored}
    views = [
        replace(
            view,
            columns=tuple(each for each in view.columns if each.output in wanted),
            aggregates=tuple(each for each in view.aggregates if each.output in wanted),
        )
        for view in query.views
    ]
    used = tuple(view for view in views if view.features)
    return replace(query, views=used, on_demand=(node,), order=None)


def _columns(own: Query) -> set[str]:
    """Return the columns that rows must have to be asked."""
    keys = {key.spine_column for view in own.views for key in view.keys}
    times = {view.timestamp_field for view in own.views}
    return keys | times | {each.column for node in own.on_demand for each in node.given}


def _inputs(own: Query, rows: pa.Table, drawn: Drawn) -> tuple[pa.Table, pa.Table]:
    """Return what the transform sees, and the rows' keys."""
    zone = drawn.request.timezone
    bound = bind(own, rows, timezone=zone, null_times="keep")
    given = bind_request_inputs(own, rows, timezone=zone, null_times="keep")
    answers = answer(own.stored, bound, drawn.snapshots)
    [inputs] = inputs_of(own, answers, given)
    keys = {key.spine_column for view in own.views for key in view.keys}
    return inputs.combine_chunks(), bound.select([n for n in bound.column_names if n in keys])


def _differences(batch: _Batch, places: Sequence[int]) -> Iterator[Difference]:
    together = compute_untried(batch.node, batch.inputs, batch.function)
    for place in places:
        alone, problem = _alone(batch, place)
        for output in batch.node.outputs:
            among, value = together[output.output][place].as_py(), alone[output.output]
            if problem or not same_answer(among, value):
                yield _difference(batch, place, output, (among, value, problem))


def _alone(batch: _Batch, place: int) -> tuple[Mapping[str, Any], str]:
    """Return the features of one row by itself, or what is wrong with it."""
    try:
        found = compute_untried(batch.node, batch.inputs.take([place]), batch.function)
    except OnDemandError as error:
        return dict.fromkeys((each.output for each in batch.node.outputs), FAILS), error.found
    return found.to_pylist()[0], ""


def _difference(
    batch: _Batch, place: int, output: Output, found: tuple[Any, Any, str]
) -> Difference:
    node, (among, alone, problem) = batch.node, found
    values = batch.inputs.slice(place, 1).to_pylist()[0]
    moment = values[EVENT_TIME]
    requests = {each.column: values[each.name] for each in node.given if each.source}
    row = batch.keys.slice(place, 1).to_pylist()[0] | requests
    return Difference(
        node.view,
        output.output,
        row,
        moment,
        engine=among,
        reference=alone,
        why=_why(batch, output, values, problem),
        explain=explain_command(batch.features, row, moment),
    )


def _why(batch: _Batch, output: Output, values: Mapping[str, Any], problem: str) -> str:
    node = batch.node
    names = [each.name for each in inputs_used(node, output.name)]
    seen = ", ".join(f"{name} = {shown_value(values[name])}" for name in names)
    what = f"{transform_text(node, output.name)} ({node.place})"
    told = (
        f"fails for the row by itself ({problem})" if problem else "gives this for the row alone"
    )
    return (
        f"{what} {told}, and the other among {batch.inputs.num_rows} rows: each row's answer may "
        f"depend on that row alone. Its inputs: {seen or 'none'}"
    )


def _skipped(node: OnDemand, drawn: Drawn) -> Skipped:
    names = tuple(output.output for output in node.outputs)
    known = list(dict.fromkeys(name for table in drawn.tables for name in table.column_names))
    missing = [each for each in node.given if each.source and each.column not in known]
    listed = ", ".join(repr(each.column) for each in missing)
    if drawn.from_spine:
        near = " ".join(dict.fromkeys(nearest(each.column, known) for each in missing))
        why, fix = f"the spine lacks {listed}", f"{near} Give request values with each row."
    elif missing:
        why = f"moments around stored events have no request values ({listed})"
        fix = "Give rows that have them, by spine= or --spine."
    else:
        why = "its inputs have keys or times that no one view's events have together"
        fix = "Give rows that have them, by spine= or --spine."
    return Skipped(node.view, names, why, fix)


def _is_stored(given: Input) -> bool:
    return given.source is None
