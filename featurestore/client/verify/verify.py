"""Verification: the engine's answers compared with the reference, cell by cell."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pyarrow as pa

from featurestore.client.arrow_rows import rows_at
from featurestore.client.on_demand import import_functions
from featurestore.client.reader import Reader
from featurestore.client.request import Request, compile_request
from featurestore.client.spines.read import read_spine
from featurestore.client.verify.command import explain_command
from featurestore.client.verify.edges import absent_keys, moments_near
from featurestore.client.verify.engine import Answers, engine_answers
from featurestore.client.verify.leakage import Cause, fix_of
from featurestore.client.verify.on_demand import SampledRows, check_on_demand, users_of
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
from featurestore.engines.explain.stored_rows import Key, plain_rows, rows_of_keys, sample_keys
from featurestore.engines.reference.rows import Row, spine_key
from featurestore.errors import RequestError
from featurestore.query.nodes import Aggregate, Column, Query, ViewQuery
from featurestore.query.requirements import spine_types
from featurestore.store.columns import UTC_MICROS, arrow_type
from featurestore.store.delta.snapshot import Snapshot
from featurestore.store.integrity import damaged, table_damage
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Runs
from featurestore.times import from_micros

_MOMENTS_PER_KEY = 4
_ROWS_PER_ABSENT_KEY = 20


@dataclass(frozen=True)
class Check:
    """What to verify, and at which rows.

    Args:
        request: The features, and the spine's time column and zone.
        sample: The number of rows to check for each view.
        spine: The rows to sample. None to sample moments around the views' stored events.
        leakage: Whether to find features that change without the rows at or after t.
        seed: Selects the sample.
    """

    request: Request
    sample: int = 1000
    spine: Any = None
    leakage: bool = False
    seed: int = 0


def verify(manifest: Manifest, reader: Reader, check: Check) -> Verification:
    """Return where sampled answers differ from the reference, and which features leak.

    Args:
        manifest: The applied definitions.
        reader: Reads the tables.
        check: What to verify, and at which rows.

    Raises:
        NotFoundError: A name is not applied.
        RequestError: The sample is not positive.
        SpineError: The spine does not fit.
        TableError: A view is not materialized, or was changed since; or its table has lost
            commits, or has rows that no run of featurestore committed.
        FunctionError: The function of an on-demand view is not the one that was applied.
        OnDemandError: An on-demand view cannot be computed at all.
    """
    request = check.request
    if not isinstance(check.sample, int) or check.sample < 1:
        raise RequestError(request.call, f"sample is {check.sample!r}", "Use e.g. sample=1000.")
    query = compile_request(manifest, request, check.spine)
    functions = import_functions(query, reader.definitions)
    snapshots = reader.pin(query, manifest)
    _require_own_commits(request.call, snapshots, reader.layout)
    uses = [_ViewUse(request, query, view, snapshots[view.view]) for view in query.views]
    if check.spine is None:
        bound = tables = [_sample_moments(use, check.sample, Random(check.seed)) for use in uses]
    else:
        tables = [_sample_spine(check, query)]
        rows = bind(query, tables[0], timezone=request.timezone, null_times="keep")
        bound = [rows for _ in uses]
    sampled = SampledRows(request, reader, snapshots, tables, check.spine is not None, check.seed)
    # On-demand views come first: a function that fails is an error before the reference, which
    # takes longer, has started.
    computed = [check_on_demand(query, n, functions.get(n.view), sampled) for n in query.on_demand]
    stored = [_check_view(reader, use, rows, check) for use, rows in zip(uses, bound, strict=True)]
    return Verification(
        (*stored, *(each for each in computed if isinstance(each, CheckedView))),
        moments="events" if check.spine is None else "spine",
        skipped=tuple(each for each in computed if isinstance(each, Skipped)),
    )


def _require_own_commits(call: str, snapshots: Mapping[str, Snapshot], layout: Layout) -> None:
    """Refuse a table that has lost commits, or that another program has changed."""
    for view, snapshot in snapshots.items():
        table_id = snapshot.uri.rpartition("/")[2]
        runs = [run for run in Runs(layout).records(view) if run.table_id == table_id]
        if damage := table_damage(snapshot.uri, runs):
            raise damaged(call, view, damage)


@dataclass(frozen=True)
class _ViewUse:
    """One use of a view in the whole query, and the view's pinned table."""

    request: Request
    query: Query
    view: ViewQuery
    snapshot: Snapshot

    @property
    def view_query(self) -> Query:
        """A query of this use alone."""
        return Query(self.request.call, (self.view,), self.view.timestamp_field)


def _sample_spine(check: Check, query: Query) -> pa.Table:
    """Return sampled rows of the spine, in its order."""
    rows = read_spine(check.spine, spine_types(query))
    if rows.num_rows > check.sample:
        positions = Random(check.seed).sample(range(rows.num_rows), check.sample)
        rows = rows_at(rows, pa.array(sorted(positions)))
    return rows


def _check_view(reader: Reader, use: _ViewUse, bound: pa.Table, check: Check) -> CheckedView:
    names = [*(key.spine_column for key in use.view.keys), use.view.timestamp_field]
    spine_rows = plain_rows(bound.select(list(dict.fromkeys(names))), [use.view.timestamp_field])
    cells = recompute(use.view, use.snapshot, spine_rows, leakage=check.leakage)
    answers = engine_answers(reader, use.view_query, bound, use.snapshot, cells)
    return CheckedView(
        use.view.view,
        use.snapshot.version,
        rows=len(cells),
        cells=sum(len(rows) for rows in answers.values()),
        unchecked_rows=len(spine_rows) - len(cells),
        differences=tuple(_differences(use, answers, spine_rows, cells)),
        leaks=tuple(_leaks(use, spine_rows, cells)) if check.leakage else (),
        features=use.view.outputs,
        overflows=tuple(_overflows(use, spine_rows, cells)),
    )


def _sample_moments(use: _ViewUse, sample: int, random: Random) -> pa.Table:
    """Return bound rows: stored keys at the edges of their events, and a few absent keys."""
    keys = sample_keys(use.view, use.snapshot, -(-sample // _MOMENTS_PER_KEY), random)
    pairs: list[tuple[Key, int]] = []
    moments_per_key = -(-sample // max(1, len(keys)))
    for key, rows in rows_of_keys(use.view, use.snapshot, keys, most=MOST_ROWS):
        # A key with too many rows comes with None. Its row is counted as not checked later.
        near = (
            [keys[key]] if rows is None else moments_near(use.view, rows, moments_per_key, random)
        )
        pairs += [(key, moment) for moment in near]
    absent = absent_keys(list(keys), -(-sample // _ROWS_PER_ABSENT_KEY), random)
    pairs = random.sample(pairs, min(len(pairs), sample - min(len(absent), sample // 2)))
    if pairs:
        pairs += [(key, random.choice(pairs)[1]) for key in absent]
    columns = {
        key.spine_column: pa.array([values[part] for values, _ in pairs], arrow_type(key.dtype))
        for part, key in enumerate(use.view.keys)
    }
    moments = pa.array([moment for _, moment in pairs], pa.int64()).cast(UTC_MICROS)
    return bind(use.view_query, pa.table(columns | {use.view.timestamp_field: moments}))


def _differences(
    use: _ViewUse, answers: Answers, spine_rows: Sequence[Row], cells: dict[int, Cells]
) -> Iterator[Difference]:
    """Yield the values that differ. Their keys' rows are read again to explain them."""
    wrong: dict[Key, list[tuple[int, Column | Aggregate]]] = defaultdict(list)
    for feature in use.view.features:
        name = feature.output
        for row, value in answers[name].items():
            if not same_value(cells[row].values[name], value, cells[row].bounds[name]):
                wrong[spine_key(use.view, spine_rows[row])].append((row, feature))
    for key, rows in rows_of_keys(use.view, use.snapshot, wrong):
        for row, feature in wrong[key]:
            spine_key_values, moment = _key_and_moment(use.view, spine_rows[row])
            yield Difference(
                use.view.view,
                feature.output,
                spine_key_values,
                from_micros(moment),
                engine=answers[feature.output][row],
                reference=cells[row].values[feature.output],
                reason=explain_cell(use.view, feature, spine_rows[row], rows or ()).text,
                explain_command=explain_command(
                    use.request.features, spine_key_values, from_micros(moment)
                ),
                used_by=users_of(use.query, feature.output),
            )


def _leaks(use: _ViewUse, spine_rows: Sequence[Row], cells: dict[int, Cells]) -> Iterator[Leak]:
    for feature in use.view.features:
        name = feature.output
        changed = [row for row, cell in cells.items() if name in cell.causes]
        if changed:
            key, moment = _key_and_moment(use.view, spine_rows[changed[0]])
            yield Leak(
                use.view.view,
                name,
                rows=len(changed),
                checked_rows=len(cells),
                key=key,
                moment=from_micros(moment),
                value=cells[changed[0]].values[name],
                past_value=cells[changed[0]].past_values[name],
                fix=fix_of(use.query, use.view, feature, _causes(cells, name)),
                used_by=users_of(use.query, name),
            )


def _causes(cells: dict[int, Cells], name: str) -> set[Cause]:
    return {cause for cell in cells.values() for cause in cell.causes.get(name, ())}


def _overflows(
    use: _ViewUse, spine_rows: Sequence[Row], cells: dict[int, Cells]
) -> Iterator[Overflow]:
    for name in use.view.outputs:
        rows = [row for row, cell in cells.items() if cell.values[name] is OVERFLOW]
        if rows:
            key, moment = _key_and_moment(use.view, spine_rows[rows[0]])
            yield Overflow(use.view.view, name, len(rows), len(cells), key, from_micros(moment))


def _key_and_moment(view: ViewQuery, spine_row: Row) -> tuple[dict[str, Any], int]:
    key = {each.spine_column: spine_row[each.spine_column] for each in view.keys}
    return key, spine_row[view.timestamp_field]
