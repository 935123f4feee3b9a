"""Features by the definitions that they are pinned to, on each engine."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from featurestore.client.distributed.answering import answering_engine
from featurestore.client.on_demand import import_functions
from featurestore.client.pinned.pin import PinnedTable, ServicePin, pinned_version
from featurestore.client.reader import Reader
from featurestore.client.request import Request, compile_request
from featurestore.client.retrieve import retrieve
from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import FunctionError, RequestError, TableError
from featurestore.optional import spark_extra
from featurestore.query.nodes import Query
from featurestore.query.selection import selection_names
from featurestore.store.delta.files import gone_files
from featurestore.store.delta.snapshot import Snapshot, open_snapshot

if TYPE_CHECKING:
    from featurestore.client.feature_store import FeatureStore
    from featurestore.client.frame.frame import FeatureFrame
    from featurestore.client.frame.spark_frame import SparkFrame

_OTHER_FUNCTION = (
    "The features are pinned to definitions with another function, and the registry has no code "
    "to run. Restore the function of that time, or pin the features again and train again."
)
_PIN_ANEW = (
    "Restore the table's files from a copy, or pin the features again and train the model again. "
    "`featurestore maintain --retention 30d` keeps old versions longer."
)


def pin_features(store: "FeatureStore", request: Request, *, tables: bool) -> ServicePin:
    """Return a pin of what features are now, by the newest applied definitions.

    Args:
        store: The store.
        request: The features.
        tables: Whether to pin the versions of the tables too, so that no later row counts.

    Raises:
        NotFoundError: A name is not applied.
        TableError: A view has no table of its applied definition.
        RequestError: The features are uses of views that have no names.
    """
    version = store.registry.current(request.call)
    query = compile_request(version.manifest, request, spine=None)
    names = tuple(selection_names(request.features))
    by_name = replace(request, features=list(names))
    if compile_request(version.manifest, by_name, spine=None).stored != query.stored:
        raise RequestError(
            request.call,
            "uses with other join keys or a prefix have no names that can be saved",
            "Put them into a feature service, apply it, and pass its name.",
        )
    snapshots = store._reader.pin(query.stored, version.manifest)
    pinned = {name: PinnedTable(_table_id(each), each.version) for name, each in snapshots.items()}
    return ServicePin(
        names,
        digest=version.digest,
        outputs=tuple(query.outputs),
        tables=pinned if tables else {},
    )


def retrieve_pinned(
    store: "FeatureStore", pin: ServicePin, request: Request, spine: Any, engine: str
) -> "FeatureFrame | SparkFrame":
    """Return the spine's rows with pinned features, each as of its row's moment.

    Args:
        store: The store. Its registry has the definitions of the pin.
        pin: What the features were when they were pinned.
        request: How the spine is read. Its features are those of the pin.
        spine: The rows, as in `get_historical_features`.
        engine: The engine, as in `get_historical_features`.

    Raises:
        NotFoundError: The registry never had the definitions of the pin.
        TableError: No table of these definitions is left, or a pinned one is not complete.
        RequestError: There is no such engine.
    """
    manifest = pinned_version(store.registry, pin, request.call).manifest
    reader = PinnedReader(store, pin.tables)
    _require_functions(manifest, reader, request, spine)
    answering = answering_engine(manifest, reader, request, spine, engine)
    if answering.is_local:
        return replace(retrieve(manifest, reader, request, answering.spine), _plan=answering.plan)
    with spark_extra(request.call):
        # Imported here, because pyspark is optional.
        from featurestore.client.distributed.retrieve import (  # noqa: PLC0415 - see above
            Distributed,
            retrieve_by_spark,
        )
    project = Distributed(
        manifest,
        reader,
        store._spark,
        store._clock(),
        loaded=store.load,
        engine=answering.engine,
        undecided=answering.undecided,
    )
    return retrieve_by_spark(project, request, answering.spine)


def _require_functions(manifest: Manifest, reader: Reader, request: Request, spine: Any) -> None:
    """Refuse changed functions with what helps: to apply the definitions again does not."""
    try:
        import_functions(compile_request(manifest, request, spine), reader.definitions)
    except FunctionError as error:
        raise error.with_fix(_OTHER_FUNCTION) from None


class PinnedReader(Reader):
    """Reads the tables of a store, at pinned versions if there are some.

    Args:
        store: The store.
        tables: The pinned version of each view's table. Other views are read at their newest.
    """

    def __init__(self, store: "FeatureStore", tables: Mapping[str, PinnedTable]) -> None:
        super().__init__(store.layout, store.settings)
        self._pinned = tables

    def pin_present(
        self, query: Query, manifest: Manifest
    ) -> tuple[dict[str, Snapshot], tuple[str, ...]]:
        """Return a snapshot of the pinned version of each view's table; no view is missing.

        Raises:
            TableError: A view has no table, the table was built again, or files of the version
                are gone.
        """
        newest, missing = super().pin_present(query, manifest)
        if missing:
            # Rows that are computed from the present source are not those that were pinned.
            raise _no_table(query.call, missing[0])
        return {name: self._at(query.call, name, each) for name, each in newest.items()}, ()

    def _at(self, call: str, view: str, newest: Snapshot) -> Snapshot:
        pinned = self._pinned.get(view)
        if pinned is None or pinned == (_table_id(newest), newest.version):
            return newest
        if pinned.table_id != _table_id(newest):
            raise TableError(
                call,
                f"the table of view {view!r} that is pinned was replaced by a newer build",
                "Pin the features again without the tables' versions, or train the model again.",
            )
        lost = f"version {pinned.version} of the table of view {view!r}, which is pinned,"
        try:
            at = replace(open_snapshot(newest.uri, pinned.version), checksums=newest.checksums)
        except TableError as error:
            raise TableError(call, f"{lost} cannot be opened: {error.found}", _PIN_ANEW) from error
        if gone := gone_files(at):
            raise TableError(call, f"{lost} has lost {len(gone):,} of its files", _PIN_ANEW)
        return at

    def _changed(self, call: str, view: str) -> TableError:
        return TableError(
            call,
            f"no table of view {view!r} is left that is built from the pinned definition",
            "Pin the features again, and train the model again.",
        )


def _no_table(call: str, view: str) -> TableError:
    return TableError(
        call,
        f"this project has no table of view {view!r}, whose features are pinned",
        f"Run `featurestore materialize {view}` if the definition that was pinned is still "
        "applied. Otherwise pin the features again, and train the model again.",
    )


def _table_id(snapshot: Snapshot) -> str:
    return snapshot.uri.rpartition("/")[2]
