"""On-demand features verified: each sampled row computed alone, compared with its answer.

The inputs are the engine's answers, which are verified on their own. Inputs from the reference
would not do: floats may differ from the engine's within the bound, and a difference that small can
turn a comparison in an expression.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pyarrow as pa

from featurestore.client.on_demand import inputs_used, transform_text
from featurestore.client.reader import Reader
from featurestore.client.request import Request
from featurestore.client.verify.command import explain_command
from featurestore.client.verify.report import CheckedView, Difference, Skipped
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.engines.bind import bind
from featurestore.engines.explain.cell import format_value
from featurestore.engines.on_demand.compute import Function, compute_unchecked, inputs_of
from featurestore.engines.on_demand.inputs import bind_request_inputs
from featurestore.engines.on_demand.row_wise import same_answer
from featurestore.errors import OnDemandError, SumOverflowError, nearest
from featurestore.query.nodes import Input, OnDemand, Output, Query
from featurestore.query.selection import Selection
from featurestore.store.delta.snapshot import Snapshot

MOST_SINGLE_ROWS = 5_000
"""At most this many rows of one on-demand view are computed alone. SQL takes some 20 s for it."""

FAILS = "it fails"
"""Shown as the reference value of a row that cannot be computed alone."""


@dataclass(frozen=True)
class SampledRows:
    """The sampled spine rows at which on-demand features are verified.

    Args:
        request: The features, and the spine's time column and zone.
        reader: Answers the inputs within the project's memory limit.
        snapshots: The pinned table of each view.
        tables: One table, if the rows come from a spine. Otherwise one table for each use of a
            view, with moments around the view's events.
        from_spine: Whether the rows come from a spine.
        seed: Selects the rows that are computed alone.
    """

    request: Request
    reader: Reader
    snapshots: Mapping[str, Snapshot]
    tables: Sequence[pa.Table]
    from_spine: bool
    seed: int


def check_on_demand(
    query: Query, node: OnDemand, function: Function | None, sampled: SampledRows
) -> CheckedView | Skipped:
    """Return where rows computed alone differ from the answers, or why none was checked.

    Args:
        query: The whole query of the call.
        node: One of its on-demand views.
        function: The view's Python function. None if its transform is SQL.
        sampled: The rows.

    Raises:
        OnDemandError: The expression or function fails for all rows together.
        SpineError: A request value of the spine has another type than declared.
    """
    part = _part_of(query, node)
    columns = _spine_columns(part)
    rows = next((t for t in sampled.tables if columns <= set(t.column_names)), None)
    if rows is None:
        return _skipped(node, sampled)
    try:
        inputs, keys = _inputs(part, rows, sampled)
    except SumOverflowError as error:
        names = tuple(output.output for output in node.outputs)
        return Skipped(node.view, names, f"an input overflows: {error.found}", error.fix)
    positions: Sequence[int] = range(inputs.num_rows)
    if inputs.num_rows > MOST_SINGLE_ROWS:
        positions = sorted(Random(sampled.seed).sample(positions, MOST_SINGLE_ROWS))
    batch = _Batch(node, function, inputs, keys, sampled.request.features)
    return CheckedView(
        node.view,
        None,
        rows=len(positions),
        cells=len(positions) * len(node.outputs),
        unchecked_rows=inputs.num_rows - len(positions),
        differences=tuple(_differences(batch, positions)) if positions else (),
        features=tuple(output.output for output in node.outputs),
    )


def users_of(query: Query, column: str) -> tuple[str, ...]:
    """Return the on-demand features that use a stored feature, as ``view:feature``.

    Args:
        query: The whole query of the call.
        column: The stored feature's name in the engine's answer.

    Example:
        >>> users_of(Query("call", ()), "amount")
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
    """The rows that are computed together: the transform's inputs, and the rows' keys."""

    node: OnDemand
    function: Function | None
    inputs: pa.Table
    keys: pa.Table
    features: Selection


def _part_of(query: Query, node: OnDemand) -> Query:
    """Return the part of a query that one on-demand view needs."""
    stored = {each.column for each in node.stored}
    views = [view.only(stored) for view in query.views]
    used = tuple(view for view in views if view.features)
    return replace(query, views=used, on_demand=(node,), order=None)


def _spine_columns(query: Query) -> set[str]:
    """Return the columns that a spine needs for a query."""
    keys = {key.spine_column for view in query.views for key in view.keys}
    times = {view.timestamp_field for view in query.views}
    return keys | times | {each.column for node in query.on_demand for each in node.request_inputs}


def _inputs(query: Query, rows: pa.Table, sampled: SampledRows) -> tuple[pa.Table, pa.Table]:
    """Return the transform's inputs, and the rows' keys."""
    zone = sampled.request.timezone
    bound = bind(query, rows, timezone=zone, null_times="keep")
    request_inputs = bind_request_inputs(query, rows, timezone=zone, null_times="keep")
    answers = sampled.reader.answer(query.stored, bound, sampled.snapshots)
    [inputs] = inputs_of(query, answers, request_inputs)
    keys = {key.spine_column for view in query.views for key in view.keys}
    return inputs.combine_chunks(), bound.select([n for n in bound.column_names if n in keys])


def _differences(batch: _Batch, positions: Sequence[int]) -> Iterator[Difference]:
    together = compute_unchecked(batch.node, batch.inputs, batch.function)
    for position in positions:
        alone, problem = _compute_alone(batch, position)
        for output in batch.node.outputs:
            engine = together[output.output][position].as_py()
            reference = alone[output.output]
            if problem or not same_answer(engine, reference):
                yield _difference(batch, position, output, (engine, reference, problem))


def _compute_alone(batch: _Batch, position: int) -> tuple[Mapping[str, Any], str]:
    """Return the features of one row computed alone, and the error's text if that fails."""
    try:
        answer = compute_unchecked(batch.node, batch.inputs.take([position]), batch.function)
    except OnDemandError as error:
        return dict.fromkeys((each.output for each in batch.node.outputs), FAILS), error.found
    return answer.to_pylist()[0], ""


def _difference(
    batch: _Batch, position: int, output: Output, values: tuple[Any, Any, str]
) -> Difference:
    node, (engine, reference, problem) = batch.node, values
    inputs = batch.inputs.slice(position, 1).to_pylist()[0]
    moment = inputs[EVENT_TIME]
    requests = {each.column: inputs[each.name] for each in node.request_inputs if each.source}
    row = batch.keys.slice(position, 1).to_pylist()[0] | requests
    return Difference(
        node.view,
        output.output,
        row,
        moment,
        engine=engine,
        reference=reference,
        reason=_reason(batch, output, inputs, problem),
        explain_command=explain_command(batch.features, row, moment),
    )


def _reason(batch: _Batch, output: Output, inputs: Mapping[str, Any], problem: str) -> str:
    node, count = batch.node, batch.inputs.num_rows
    names = [each.name for each in inputs_used(node, output.name)]
    listed = ", ".join(f"{name} = {format_value(inputs[name])}" for name in names)
    transform = f"{transform_text(node, output.name)} ({node.origin})"
    outcome = f"fails ({problem})" if problem else "gives the reference value"
    return (
        f"For this row alone, {transform} {outcome}. Together with the other rows ({count} in "
        "all) it gives the engine's value. A row's features must not depend on other rows. "
        f"Inputs: {listed or 'none'}"
    )


def _skipped(node: OnDemand, sampled: SampledRows) -> Skipped:
    names = tuple(output.output for output in node.outputs)
    present = list(dict.fromkeys(name for table in sampled.tables for name in table.column_names))
    missing = [each for each in node.request_inputs if each.source and each.column not in present]
    listed = ", ".join(repr(each.column) for each in missing)
    if sampled.from_spine:
        near = " ".join(dict.fromkeys(nearest(each.column, present) for each in missing))
        reason, fix = f"the spine has no column {listed}", f"{near} Add the request values to it."
    elif missing:
        reason = f"moments around stored events have no request values ({listed})"
        fix = "Pass rows that have them: spine= in Python, --spine on the command line."
    else:
        reason = "no view's events have all the keys and times of its inputs"
        fix = "Pass rows that have them: spine= in Python, --spine on the command line."
    return Skipped(node.view, names, reason, fix)


def _is_stored(each: Input) -> bool:
    return each.source is None
