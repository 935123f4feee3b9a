"""Checking answers: the engine's are compared with those of the reference, cell by cell."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pyarrow as pa

from featurestore.client.arrow_rows import rows_at
from featurestore.client.on_demand import import_functions
from featurestore.client.reader import Reader
from featurestore.client.request import Request
from featurestore.client.spines.read import read_spine
from featurestore.client.verify.command import explain_command
from featurestore.client.verify.edges import absent_keys, moments_near
from featurestore.client.verify.engine import Answers, engine_answers
from featurestore.client.verify.leakage import Cause, fix_of
from featurestore.client.verify.on_demand import Drawn, check_on_demand, users_of
from featurestore.client.verify.recompute import MOST_ROWS, Cells, recompute
from featurestore.client.verify.report import (
    CheckedView,
    Difference,
    Leak,
    Overflow,
    Skipped,
    Verification,
)
from featurestore.client.verify.values import OVERFLOW, same_value
from featurestore.definitions.model.manifest import Manifest
from featurestore.engines.bind import bind
from featurestore.engines.explain.cell import explain_cell
from featurestore.engines.explain.stored_rows import Key, draw_keys, plain_rows, rows_of_keys
from featurestore.engines.reference.rows import Row, spine_key
from featurestore.errors import RequestError
from featurestore.query.compile import compile_query
from featurestore.query.nodes import Aggregate, Column, Query, ViewQuery
from featurestore.store.columns import UTC_MICROS, arrow_type
from featurestore.store.delta.snapshot import Snapshot
from featurestore.times import from_micros

_MOMENTS_A_KEY = 4
_ONE_STRANGER_IN = 20


@dataclass(frozen=True)
class Check:
    """What is to be checked.

    Args:
        request: The features, and the spine's time column and zone.
        sample: How many rows to ask of each view.
        spine: The rows to draw from; None to draw moments around the views' own events.
        leakage: Whether to look for features that change without rows at or after t.
        seed: Draws the sample.
    """

    request: Request
    sample: int = 1000
    spine: Any = None
    leakage: bool = False
    seed: int = 0


def verify(manifest: Manifest, reader: Reader, check: Check) -> Verification:
    """Return what a check finds.

    Args:
        manifest: What is applied.
        reader: Reads the tables.
        check: What is to be checked.

    Raises:
        NotFoundError: A name is not applied.
        RequestError: The sample is not positive.
        SpineError: The spine does not fit.
        TableError: A view is not materialized, or was changed since.
        DefinitionError: The function of an on-demand view is not the one that was applied.
        OnDemandError: An on-demand view cannot be computed at all.
    """
    request = check.request
    if check.sample < 1:
        raise RequestError(request.call, f"sample is {check.sample}", "Give e.g. sample=1000.")
    query = compile_query(
        manifest, request.features, call=request.call, timestamp_field=request.timestamp_field
    )
    functions = import_functions(query, reader.definitions)
    snapshots = reader.pin(query, manifest)
    uses = [_Use(request, query, view, snapshots[view.view]) for view in query.views]
    if check.spine is None:
        bound = given = [_drawn(use, check.sample, Random(check.seed)) for use in uses]
    else:
        given = [_sampled(check)]
        rows = bind(query, given[0], timezone=request.timezone, null_times="keep")
        bound = [rows for _ in uses]
    drawn = Drawn(request, snapshots, given, check.spine is not None, check.seed)
    # On-demand views come first: one that fails says so before the reference takes its time.
    computed = [check_on_demand(query, n, functions.get(n.view), drawn) for n in query.on_demand]
    stored = [_check_view(reader, use, rows, check) for use, rows in zip(uses, bound, strict=True)]
    return Verification(
        (*stored, *(each for each in computed if isinstance(each, CheckedView))),
        moments="events" if check.spine is None else "spine",
        skipped=tuple(each for each in computed if isinstance(each, Skipped)),
    )


@dataclass(frozen=True)
class _Use:
    """One use of a view, asked on its own."""

    request: Request
    whole: Query
    view: ViewQuery
    snapshot: Snapshot

    @property
    def query(self) -> Query:
        return Query(self.request.call, (self.view,), self.view.timestamp_field)


def _sampled(check: Check) -> pa.Table:
    """Draw rows of the spine, in its order."""
    rows = read_spine(check.spine)
    if rows.num_rows > check.sample:
        places = Random(check.seed).sample(range(rows.num_rows), check.sample)
        rows = rows_at(rows, pa.array(sorted(places)))
    return rows


def _check_view(reader: Reader, use: _Use, bound: pa.Table, check: Check) -> CheckedView:
    names = [*(key.spine_column for key in use.view.keys), use.view.timestamp_field]
    spine_rows = plain_rows(bound.select(list(dict.fromkeys(names))), [use.view.timestamp_field])
    cells = recompute(use.view, use.snapshot, spine_rows, leakage=check.leakage)
    answers = engine_answers(reader, use.query, bound, use.snapshot, cells)
    return CheckedView(
        use.view.view,
        use.snapshot.version,
        rows=len(cells),
        cells=sum(len(rows) for rows in answers.values()),
        left_out=len(spine_rows) - len(cells),
        differences=tuple(_differences(use, answers, spine_rows, cells)),
        leaks=tuple(_leaks(use, spine_rows, cells)) if check.leakage else (),
        features=use.view.outputs,
        overflows=tuple(_overflows(use, spine_rows, cells)),
    )


def _drawn(use: _Use, sample: int, random: Random) -> pa.Table:
    """Draw keys, and moments at the edges of their events; a few keys that do not occur."""
    keys = draw_keys(use.view, use.snapshot, -(-sample // _MOMENTS_A_KEY), random)
    pairs: list[tuple[Key, int]] = []
    each = -(-sample // max(1, len(keys)))
    for key, rows in rows_of_keys(use.view, use.snapshot, keys, most=MOST_ROWS):
        near = [keys[key]] if rows is None else moments_near(use.view, rows, each, random)
        pairs += [(key, moment) for moment in near]
    others = absent_keys(list(keys), -(-sample // _ONE_STRANGER_IN), random)
    pairs = random.sample(pairs, min(len(pairs), sample - min(len(others), sample // 2)))
    if pairs:
        pairs += [(key, random.choice(pairs)[1]) for key in others]
    columns = {
        key.spine_column: pa.array([values[place] for values, _ in pairs], arrow_type(key.dtype))
        for place, key in enumerate(use.view.keys)
    }
    moments = pa.array([moment for _, moment in pairs], pa.int64()).cast(UTC_MICROS)
    return bind(use.query, pa.table(columns | {use.view.timestamp_field: moments}))


def _differences(
    use: _Use, answers: Answers, spine_rows: Sequence[Row], cells: dict[int, Cells]
) -> Iterator[Difference]:
    """Compare with the engine's answers; keys that differ are read again, to explain them."""
    wrong: dict[Key, list[tuple[int, Column | Aggregate]]] = defaultdict(list)
    for feature in use.view.features:
        name = feature.output
        for row, found in answers[name].items():
            if not same_value(cells[row].values[name], found, cells[row].bounds[name]):
                wrong[spine_key(use.view, spine_rows[row])].append((row, feature))
    for key, rows in rows_of_keys(use.view, use.snapshot, wrong):
        for row, feature in wrong[key]:
            names, moment = _named(use.view, spine_rows[row])
            yield Difference(
                use.view.view,
                feature.output,
                names,
                from_micros(moment),
                engine=answers[feature.output][row],
                reference=cells[row].values[feature.output],
                why=explain_cell(use.view, feature, spine_rows[row], rows or ()).text,
                explain=explain_command(use.request.features, names, from_micros(moment)),
                used_by=users_of(use.whole, feature.output),
            )


def _leaks(use: _Use, spine_rows: Sequence[Row], cells: dict[int, Cells]) -> Iterator[Leak]:
    for feature in use.view.features:
        name = feature.output
        changed = [row for row, cell in cells.items() if name in cell.causes]
        if changed:
            names, moment = _named(use.view, spine_rows[changed[0]])
            yield Leak(
                use.view.view,
                name,
                rows=len(changed),
                of=len(cells),
                key=names,
                moment=from_micros(moment),
                value=cells[changed[0]].values[name],
                without=cells[changed[0]].without[name],
                fix=fix_of(use.whole, use.view, feature, _causes(cells, name)),
                used_by=users_of(use.whole, name),
            )


def _causes(cells: dict[int, Cells], name: str) -> set[Cause]:
    return {cause for cell in cells.values() for cause in cell.causes.get(name, ())}


def _overflows(
    use: _Use, spine_rows: Sequence[Row], cells: dict[int, Cells]
) -> Iterator[Overflow]:
    for name in use.view.outputs:
        rows = [row for row, cell in cells.items() if cell.values[name] is OVERFLOW]
        if rows:
            key, moment = _named(use.view, spine_rows[rows[0]])
            of = len(cells)
            yield Overflow(use.view.view, name, len(rows), of, key, from_micros(moment))


def _named(view: ViewQuery, spine_row: Row) -> tuple[dict[str, Any], int]:
    key = {each.spine_column: spine_row[each.spine_column] for each in view.keys}
    return key, spine_row[view.timestamp_field]
