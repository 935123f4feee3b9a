"""The check of a view's schema contract: the source's columns now, and those accepted before.

It needs no session. A run makes it before its session starts, and again before it reads.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass, replace

from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError, SourceError, TableError, with_note
from featurestore.jobs.contract.changes import UNKNOWN, Change, Column, Schema, compare, refused
from featurestore.jobs.contract.comparison import described, side_by_side
from featurestore.jobs.contract.refusal import contract_error, definition_error
from featurestore.jobs.contract.source import (
    SourceColumns,
    columns_of_file,
    declared_columns,
    is_wider,
    table_columns,
    unmet,
)
from featurestore.store.commit import newest_batch
from featurestore.store.delta.log import is_table
from featurestore.store.layout import Layout
from featurestore.store.ledger.files import Files
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.source_files import FilePath, SourceFile

_THREADS = 8
# With "ignore", each file is checked again when it is read.
_MOST_FILES = 1000


@dataclass(frozen=True)
class Accepted:
    """The columns of a source that a run may read.

    Args:
        columns: The columns; None if there is no data, or for a derived view.
        before: The columns that were recorded last; None if none were.
        changes: The changes since then.
        note: What the run's message shall say about them.
    """

    columns: Schema | None = None
    _: KW_ONLY
    before: Schema | None = None
    changes: tuple[Change, ...] = ()
    note: str = ""

    @property
    def recorded(self) -> tuple[tuple[str, str], ...] | None:
        """The columns as the commits of the run record them."""
        if self.columns is None:
            return None
        return tuple((each.name, each.type) for each in self.columns)

    def explain(self, error: FeatureStoreError) -> FeatureStoreError:
        """Return the error of a run, with the columns side by side if they may be its cause.

        A transform may use any column. So only its failure shows that it used one that is gone.
        """
        losses = [each for each in self.changes if each.kind in ("dropped", "renamed", "retyped")]
        if not (losses and self.before and self.columns) or "\n" in error.found:
            return error
        table = side_by_side(self.before, self.columns, self.changes)
        return with_note(error, f"the source has other columns than at the last run:\n{table}")


def check_schema(
    layout: Layout,
    view: FeatureView,
    *,
    accept: bool = False,
    files: Sequence[SourceFile] | None = None,
) -> Accepted:
    """Return the columns of a view's source, if the view's contract takes their changes.

    The columns of a derived view are those of the upstream view's definition, so nothing is
    checked.

    Args:
        layout: The addresses of the tables and sources.
        view: The view.
        accept: Whether to take changes that only the contract refuses.
        files: The files whose columns count, such as those that were corrected; None for those
            that no run has read.

    Raises:
        SourceError: A column that the view uses is not as declared, or the contract refuses a
            change. The error shows the columns before and now.
    """
    source = view.source
    if not isinstance(source, DeltaSource | FileSource):  # each message is checked by itself
        return Accepted()
    builds = [each for each in Tables(layout).records() if each.view == view.name]
    before = recorded_columns(layout, view, builds)
    check = _Check(view, source, accept, declared_columns(view, source))
    return check.of_all(before, _parts(layout, view, source, builds, files))


def recorded_columns(
    layout: Layout, view: FeatureView, builds: Iterable[TableRecord]
) -> Schema | None:
    """Return the columns of its source that a view's runs have accepted last; None for none.

    Args:
        layout: The addresses of the tables.
        view: The view.
        builds: The builds of its table.
    """
    tables = {each.state: layout.features(each.view, each.table_id) for each in builds}
    for uri in (tables.get("building"), tables.get("current")):
        try:
            batch = None if uri is None else newest_batch(uri)
        except TableError:  # a damaged table, which the run reports
            continue
        notes = None if batch is None else batch.notes
        if notes and notes.source_columns and notes.source_name == view.source.name:
            return tuple(Column(name, kind) for name, kind in notes.source_columns)
    return None


def lacks_columns(layout: Layout, view: FeatureView, table: TableRecord) -> bool:
    """Return whether a view's table has rows, but no columns that its contract could compare.

    So it is after the contract was declared, until the next run.

    Args:
        layout: The addresses of the tables.
        view: The view.
        table: The build of its table.
    """
    is_free = view.schema_contract == "ignore" or isinstance(view.source, FeatureView)
    if is_free or recorded_columns(layout, view, [table]) is not None:
        return False
    return newest_batch(layout.features(view.name, table.table_id)) is not None


@dataclass(frozen=True)
class _Check:
    view: FeatureView
    source: StoredSource
    accept: bool
    needed: Mapping[str, Field | None]

    def of_all(self, before: Schema | None, parts: Iterable[SourceColumns]) -> Accepted:
        accepted, changes = before, list[Change]()
        for part in parts:
            now, differences = self._of_part(accepted, part)
            accepted = now
            changes += differences
        return Accepted(
            accepted or None, before=before, changes=tuple(changes), note=self._note(changes)
        )

    def _of_part(
        self, recorded: Schema | None, part: SourceColumns
    ) -> tuple[Schema, tuple[Change, ...]]:
        """Return the columns to record, and the changes; an error if they are refused."""
        lacking = set(unmet(part, self.needed, self._optional))
        if part.has_none_of(self.needed):  # such as a header of one column: the run says why
            return recorded or (), ()
        before, now = self._comparable(recorded, part, lacking)
        changes = compare(before, now, lambda old, new: self._fits(part, old, new))
        rejected = refused(self.view.schema_contract, changes, lacking)
        if lacking:
            name = next(each for each in self.needed if each in lacking)
            error = definition_error(self.view, self.source, part, (name, self.needed[name]))
            raise error.of(before, now, changes, is_recorded=recorded is not None)
        if rejected and not self.accept:
            raise contract_error(self.view, self.source, part).of(before, now, changes)
        return now, changes

    @property
    def _optional(self) -> tuple[str, ...]:
        return self.source.optional_columns if isinstance(self.source, FileSource) else ()

    def _comparable(
        self, recorded: Schema | None, part: SourceColumns, lacking: set[str]
    ) -> tuple[Schema, Schema]:
        """Return both schemas without what is no change, such as an optional column.

        What the view needs and has not is compared with its declaration.
        """
        types = {each.name: each.type for each in recorded or ()}
        now = tuple(
            Column(each.name, types.get(each.name, UNKNOWN)) if each.type == UNKNOWN else each
            for each in part.schema
        )
        names = {each.name for each in now}
        before = now if recorded is None else recorded
        if recorded is None and lacking:
            before = tuple(each for each in now if each.name in self.needed)
        declared = {
            name: Column(name, str(field.dtype) if field else "any")
            for name, field in self.needed.items()
            if name in lacking
        }
        before = tuple(_declared(each, declared, names) for each in before)
        known = {each.name for each in before}
        before += tuple(each for each in declared.values() if each.name not in known)
        free = {each.name for each in (*before, *now) if each.name in self._optional}
        if not part.is_whole:
            free |= {each.name for each in before if each.name not in self.needed}
        return _with_free(before, now, free), _with_free(now, before, free)

    def _fits(self, part: SourceColumns, old: Column, new: Column) -> bool:
        field = self.needed.get(new.name)
        if field is not None:
            return part.fits(new.name, field.dtype)
        return is_wider(part, old, new)

    def _note(self, changes: Sequence[Change]) -> str:
        if not changes or (self.view.schema_contract == "ignore" and not self.accept):
            return ""
        verb = "accepted" if self.accept else "took"
        return f"; {verb} changed columns of {self.source.name!r}: {described(changes)}"


def _declared(column: Column, declared: Mapping[str, Column], names: set[str]) -> Column:
    """Return the column as declared, where the source has it in another type."""
    return declared.get(column.name, column) if column.name in names else column


def _with_free(schema: Schema, other: Schema, free: set[str]) -> Schema:
    """Return a schema with those columns of another one that it may lack, each at its place."""
    columns = list(schema)
    for at, each in enumerate(other):
        names = [column.name for column in columns]
        if each.name in free and each.name not in names:
            before = other[at - 1].name if at else ""
            columns.insert(names.index(before) + 1 if before in names else 0, each)
    return tuple(columns)


def _parts(
    layout: Layout,
    view: FeatureView,
    source: StoredSource,
    builds: Sequence[TableRecord],
    files: Sequence[SourceFile] | None,
) -> Iterator[SourceColumns]:
    uri = layout.source(source.location)
    if isinstance(source, DeltaSource):
        if is_table(uri):
            yield table_columns(uri)
        return
    if not isinstance(source, FileSource):
        return
    path = FilePath(uri)
    if path.exists and path.table_format is None:
        with ThreadPoolExecutor(_THREADS) as pool:
            chosen = _new_files(layout, view, path, builds) if files is None else files
            found = pool.map(lambda file: _columns(source, file), chosen)
            yield from (each for each in found if each is not None)


def _new_files(
    layout: Layout, view: FeatureView, path: FilePath, builds: Sequence[TableRecord]
) -> list[SourceFile]:
    """Return the files whose columns count: those that no run has read."""
    if view.snapshot:
        return sorted(path.files, key=lambda file: (file.modified_at, file.name))[-1:]
    ledger = Files(layout)
    present = [each for each in builds if each.state in ("building", "current")]
    read = {record.path for build in present for record in ledger.records(build.table_id)}
    names = {path.name_of(each) for each in read}
    files = [file for file in path.files if file.name not in names]
    return files[-_MOST_FILES:] if view.schema_contract == "ignore" else files


def _columns(source: FileSource, file: SourceFile) -> SourceColumns | None:
    try:
        found = columns_of_file(source, file)
    except SourceError:  # the run names the file and its problem
        return None
    return replace(found, origin=file.name) if found.types else None
