"""The engines, each as a function from an example to the values of its features."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute as pc
from deltalake import WriterProperties, write_deltalake

import featurestore as fs
from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.engines import reference
from featurestore.engines.bind import bind
from featurestore.engines.kernel import answer_view
from featurestore.engines.retrieval import answer as local
from featurestore.registry.plan import plan
from featurestore.store.columns import EVENT_TIME
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.ledger.tables import TableRecord, Tables
from tests.semantics.case import Case, Example

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Answers = dict[str, list[object]]


@dataclass(frozen=True)
class World:
    """A project in which the view of each example is applied and has a Delta table."""

    store: fs.FeatureStore
    names: dict[int, str]

    def name(self, example: Example) -> str:
        """Return the name of an example's view and service."""
        return self.names[id(example)]


def by_reference(world: World, example: Example) -> Answers:
    """Answer by the reference."""
    answers: Answers = {}
    for view in example.query().views:
        answers |= reference.answer(view, example.spine, example.rows)
    return answers


def by_kernel(world: World, example: Example) -> Answers:
    """Answer by the kernel, from all rows at once."""
    query = example.query()
    spine = bind(query, example.spine_table(), null_times="keep")
    answers: Answers = {}
    for view in query.views:
        answers |= answer_view(view, spine, example.stored()).to_pydict()
    return answers


def by_local_engine(world: World, example: Example) -> Answers:
    """Answer from the Delta table, with chunks of one stored row."""
    name = world.name(example)
    query = example.query(name)
    spine = bind(query, example.spine_table(), null_times="keep")
    snapshot = open_snapshot(world.store.layout.features(name, "t1"))
    return local.answer(query, spine, {name: snapshot}, rows_per_chunk=1).to_pydict()


def by_client(world: World, example: Example) -> Answers:
    """Answer as users spine_at, and hold the row contract: the spine comes back as it was."""
    spine = example.spine_table()

    table = world.store.get_historical_features(
        world.name(example), spine, null_times="keep"
    ).to_arrow()

    assert table.select(spine.column_names) == spine
    assert table.column_names == [*spine.column_names, *example.answers]
    return table.select(list(example.answers)).to_pydict()


ENGINES: dict[str, Callable[[World, Example], Answers]] = {
    "reference": by_reference,
    "kernel": by_kernel,
    "local engine": by_local_engine,
    "client": by_client,
}


def make_world(folder: Path, cases: tuple[Case, ...], more: Manifest) -> World:
    """Apply all examples' definitions, and others, and write the rows of the examples."""
    (folder / "featurestore.toml").write_text('project = "rules"\n')
    store = fs.FeatureStore(folder, clock=lambda: NOON)
    examples = {name: each for case in cases for name, each in named(case)}
    parts = [more, *(each.manifest(name) for name, each in examples.items())]
    manifest = Manifest.of(
        [
            definition
            for part in parts
            for definition in (
                *part.entities,
                *part.sources,
                *part.views,
                *part.on_demand_views,
                *part.services,
            )
        ]
    )
    store.apply(plan(None, manifest))
    Tables(store.layout).record(
        *(write(store, manifest, name, each) for name, each in examples.items())
    )
    return World(store, {id(each): name for name, each in examples.items()})


def named(case: Case) -> Iterator[tuple[str, Example]]:
    """Yield a case's examples, each with the name of its view."""
    for number, each in enumerate(case.examples):
        yield f"{case.slug}_{number}", each


def write(store: fs.FeatureStore, applied: Manifest, view: str, example: Example) -> TableRecord:
    """Write the rows with a key and a time, in order, as materialization does."""
    rows, names = example.stored(), [*(key.name for key in example.view.join_keys), EVENT_TIME]
    for name in names:
        rows = rows.filter(pc.is_valid(rows[name]))
    write_deltalake(
        store.layout.features(view, "t1"),
        rows.sort_by([(name, "ascending") for name in names]),
        writer_properties=WriterProperties(max_row_group_size=2),
    )
    return record(applied, view)


def record(applied: Manifest, view: str) -> TableRecord:
    """Return the ledger's record of a view's table."""
    return TableRecord(
        view,
        table_id="t1",
        fingerprint=table_fingerprint(applied.view(view)),
        state="current",
        at=NOON,
    )
