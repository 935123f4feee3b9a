"""Cases as data: a rule and its examples, which tests run and the page shows.

Times are clock times of one day, such as ``"9:00"``, or whole dates; stored as microseconds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import UTC, datetime

import pyarrow as pa

import featurestore as fs
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.types import DataType
from featurestore.definitions.model.view import FeatureReference
from featurestore.definitions.model.window import Length
from featurestore.query.compile import compile_query
from featurestore.query.nodes import Query
from featurestore.store.columns import (
    AVAILABLE_TIME,
    DELETED,
    EVENT_TIME,
    ROW_HASH,
    SEQUENCE,
    UTC_MICROS,
    arrow_type,
)
from featurestore.times import from_micros, to_micros
from tests.engines.kernel.worlds import content_hash

DAY = "2026-03-02"


@dataclass(frozen=True)
class Computed:
    """The on-demand features of an example.

    Args:
        view: The on-demand view; the example's view stands for its first source.
        answers: The values of each of its features, one for each spine row.
    """

    view: fs.OnDemandFeatureView
    answers: Mapping[str, tuple[object, ...]]

    @property
    def request(self) -> fs.RequestSource:
        """The source of the request values in the spine."""
        (request,) = self.view.requests
        return request


@dataclass(frozen=True)
class Example:
    """Stored rows of one view, a spine, and the answers.

    Args:
        caption: The difference to the other examples, written as in a definition.
        uses: Uses of the view, in the order of the answered features.
        rows: The stored rows, as Python values; times in microseconds.
        spine: The spine rows.
        answers: The values of each feature, one for each spine row.
        ahead: For labels: the time in microseconds from a labelled row to the spine's moment.
        computed: On-demand features of the answers; None without any.
    """

    caption: str
    _: KW_ONLY
    uses: tuple[FeatureReference, ...]
    rows: tuple[Mapping[str, object], ...]
    spine: tuple[Mapping[str, object], ...]
    answers: Mapping[str, tuple[object, ...]]
    ahead: int = 0
    computed: Computed | None = None

    @property
    def view(self) -> fs.FeatureView:
        """The view that all its uses share."""
        return self.uses[0].view

    def manifest(self, name: str) -> Manifest:
        """Return its definitions; source, view and service get this name."""
        source = replace(self.view.source, name=name)
        view = replace(self.view, name=name, source=source)
        uses = tuple(replace(use, view=view) for use in self.uses)
        service = fs.FeatureService(name, features=uses)
        return Manifest.of([*view.entities, source, view, service, *self._on_demand(name, view)])

    def _on_demand(self, name: str, view: fs.FeatureView) -> Iterator[object]:
        """Yield the on-demand definitions; view and service are named ``<name>_computed``."""
        if self.computed is not None:
            sources = (view, self.computed.request)
            by = replace(self.computed.view, name=f"{name}_computed", sources=sources)
            yield from (self.computed.request, by, fs.FeatureService(by.name, features=(by,)))

    def query(self, name: str = "example") -> Query:
        """Return its query."""
        return compile_query(self.manifest(name), name, call=name)

    def stored(self) -> pa.Table:
        """Return the stored rows as Arrow."""
        view = self.view
        types = {key.name: arrow_type(key.dtype) for key in view.join_keys}
        types |= {EVENT_TIME: UTC_MICROS, AVAILABLE_TIME: UTC_MICROS}
        types |= {SEQUENCE: pa.int64()} if view.has_sequence else {}
        types |= {DELETED: pa.bool_()} if view.has_tombstones else {}
        types |= dict.fromkeys(view.unique_columns, pa.int64())
        types |= {field.name: arrow_type(field.dtype) for field in view.schema}
        return _table(types | {ROW_HASH: pa.int64()}, self.rows)

    def spine_table(self) -> pa.Table:
        """Return the spine as Arrow."""
        query = self.query()
        types = {}
        for view in query.views:
            types |= {key.spine_column: arrow_type(key.dtype) for key in view.keys}
            types[view.timestamp_field] = UTC_MICROS
        return _table({name: types.get(name) for name in self.spine[0]}, self.spine)


@dataclass(frozen=True)
class Case:
    """One row of the table of cases in the rules.

    Args:
        name: The case, as in the table.
        slug: The name of its tests and of its picture.
        rule: The rule in the table.
        text: The rule for users, in Markdown.
        examples: The examples, which run on every engine.
        pictured: Whether the page shows the examples as a picture, or else as tables.
        refusals: Wrong requests, and the message of each error.
    """

    name: str
    _: KW_ONLY
    slug: str
    rule: str
    text: str
    examples: tuple[Example, ...] = ()
    pictured: bool = True
    refusals: Mapping[str, str] = field(default_factory=dict)

    @property
    def picture(self) -> str | None:
        """The name of its picture's file."""
        return f"{self.slug.replace('_', '-')}.svg" if self.pictured and self.examples else None


def at(text: str) -> int:
    """Return a clock time of the examples' day, or a whole date and time, in microseconds.

    Both are UTC.
    """
    if "-" in text:
        return to_micros(datetime.fromisoformat(text).replace(tzinfo=UTC))
    hour, _, rest = text.partition(":")
    return at(f"{DAY}T{int(hour):02}:{rest}")


def clock(micros: int) -> str:
    """Return a time as a short text: the inverse of `at`."""
    moment = from_micros(micros)
    date, time = f"{moment:%Y-%m-%d}", f"{moment.hour}:{moment:%M}"
    if moment.second or moment.microsecond:
        time += f":{moment:%S}"
    if moment.microsecond:
        time += f".{moment:%f}"
    if date == DAY:
        return time
    return date if time == "0:00" else f"{date} {time}"


CARD = fs.Entity("card", join_keys=(fs.Field("card", fs.String),))


def source(
    *,
    late: bool = False,
    line: bool = False,
    deleted: bool = False,
    revised: bool = False,
    feed: bool = False,
) -> fs.DeltaSource:
    """Return a source with the columns that an example needs."""
    return fs.DeltaSource(
        "changes",
        path="data/changes",
        timestamp_field="happened_at",
        available_timestamp_field="loaded_at" if late else None,
        sequence_field="line" if line else None,
        deleted_field="deleted" if deleted else None,
        unique_by=("change",) if revised or feed else (),
        change_feed=feed,
    )


def profile(*, rows: fs.DeltaSource | None = None, **options: object) -> fs.FeatureView:
    """Return a view whose feature is the city of a card's holder."""
    options.setdefault("entities", (CARD,))
    options.setdefault("schema", (fs.Field("city", fs.String),))
    return fs.FeatureView("profile", source=rows or source(), **options)


def payments(
    *aggregations: fs.Aggregation,
    rows: fs.DeltaSource | None = None,
    dtype: DataType = fs.Float64,
    **options: object,
) -> fs.FeatureView:
    """Return a view of aggregated payments of a card."""
    return fs.FeatureView(
        "payments",
        entities=(CARD,),
        source=rows or source(),
        schema=(fs.Field("amount", dtype),),
        aggregations=aggregations,
        **options,
    )


def total(window: Length, **options: object) -> fs.Aggregation:
    """Return the sum of a card's payments in a window."""
    return fs.Aggregation("amount", "sum", windows=(window,), **options)


def event(time: str | None, *, available: str | None = "then", **columns: object) -> dict:
    """Return a row of a source: available at its event, at another time, or (None) at null."""
    happened = None if time is None else at(time)
    loaded = happened if available == "then" else None if available is None else at(available)
    return {"card": "A", EVENT_TIME: happened, AVAILABLE_TIME: loaded, **columns}


def spine_at(*times: str | None, **columns: object) -> tuple[dict, ...]:
    """Return spine rows at some times, of card A unless ``card`` is another one."""
    moments = [None if time is None else at(time) for time in times]
    return tuple({"card": "A", **columns, EVENT_TIME: moment} for moment in moments)


def example(
    caption: str,
    *uses: fs.FeatureView | FeatureReference,
    rows: list[dict],
    spine: tuple[dict, ...],
    answers: Mapping[str, tuple[object, ...]] | tuple[object, ...],
) -> Example:
    """Return an example; answers without a name belong to the only feature."""
    chosen = tuple(
        FeatureReference(use) if isinstance(use, fs.FeatureView) else use for use in uses
    )
    view = chosen[0].view
    query = Example(caption, uses=chosen, rows=(), spine=(), answers={}).query()
    named = answers if isinstance(answers, Mapping) else {query.outputs[0]: answers}
    return Example(
        caption,
        uses=chosen,
        rows=tuple(_stored_row(view, query.views[0].rows.available_delay, row) for row in rows),
        spine=spine,
        answers=named,
    )


def _stored_row(view: fs.FeatureView, delay: int, row: dict) -> dict:
    """Return a row as materialization stores it: its available time includes the delay."""
    available = row[AVAILABLE_TIME]
    full = {key.name: row.get(key.name) for key in view.join_keys}
    full |= {name: value for name, value in row.items() if name != "card"}
    full[AVAILABLE_TIME] = None if available is None else available + delay
    return {ROW_HASH: content_hash(full), **full}


def _table(types: Mapping[str, pa.DataType | None], rows: tuple[Mapping, ...]) -> pa.Table:
    return pa.table(
        {name: pa.array([row.get(name) for row in rows], kind) for name, kind in types.items()}
    )
