"""What a source column reaches, for a project: `store.impact`."""

from collections.abc import Iterable

import pyarrow as pa
from deltalake.exceptions import DeltaError

from featurestore.client.source_check.columns import file_columns, table_columns
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource, FileSource, Source
from featurestore.errors import FeatureStoreError, NotFoundError
from featurestore.registry.lineage.impact import Features, Impact, Impacts
from featurestore.store.layout import Layout
from featurestore.store.ledger.models import ModelRecord, Models
from featurestore.store.paths import is_local
from featurestore.store.source_files import FilePath
from featurestore.store.training_sets.notes import TrainingSet
from featurestore.store.training_sets.table import newest_of_all


def impact(manifest: Manifest, layout: Layout, name: str) -> Impact:
    """Return everything that a source column reaches.

    Args:
        manifest: The applied definitions.
        layout: The addresses of the sources.
        name: The column, as ``"source.column"``.

    Raises:
        NotFoundError: There is no such source or column.
        RequestError: The name has no dot.

    Example:
        >>> impact(Manifest(), Layout("no/such/store"), "paid.amount")
        Traceback (most recent call last):
        featurestore.errors.NotFoundError: impact('paid.amount'): no source 'paid' is applied...
    """
    impacts = Impacts(manifest, **trained_features(layout))
    try:
        column = impacts.find(name)
    except NotFoundError:
        # Only here: a column that no definition names may still be in the data.
        source = next((s for s in manifest.sources if s.name == name.partition(".")[0]), None)
        if source is None:
            raise
        column = impacts.find(name, {source.name: present_columns(source, layout)})
    return impacts.of(column)


def trained_features(layout: Layout) -> dict[str, Features]:
    """Return the features of the newest saved training sets, and of all versions of each model.

    Raises:
        TableError: The ledger of models is damaged.

    Example:
        >>> trained_features(Layout("no/such/store"))
        {'training_sets': {}, 'models': {}}
    """
    return trained(newest_of_all(layout), Models(layout).records())


def trained(sets: Iterable[TrainingSet], models: Iterable[ModelRecord]) -> dict[str, Features]:
    """Return the features of training sets, and of all versions of each model.

    Args:
        sets: The training sets.
        models: The recorded models, by name and version.

    Example:
        >>> trained([TrainingSet("fraud_2026_01")], [])
        {'training_sets': {'fraud_2026_01': []}, 'models': {}}
    """
    pairs = {each.name: [(f.view, f.feature) for f in each.features] for each in sets}
    used: dict[str, dict[tuple[str, str], None]] = {}
    for each in models:  # an old version may still serve
        used.setdefault(each.name, {}).update(dict.fromkeys(map(_pair, each.features)))
    return {"training_sets": pairs, "models": {name: list(own) for name, own in used.items()}}


def _pair(name: str) -> tuple[str, str]:
    view, _, feature = name.partition(":")
    return view, feature


def present_columns(source: Source, layout: Layout) -> tuple[str, ...]:
    """Return the columns of a source's newest data; none if they cannot be seen without Spark.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> present_columns(DeltaSource("paid", path="p"), Layout("no/such/store"))
        ()
    """
    if not isinstance(source, DeltaSource | FileSource):
        return ()
    try:
        uri = layout.source(source.location)
        if not is_local(uri):
            return ()
        if isinstance(source, DeltaSource):
            return tuple(table_columns(source, uri).types)
        newest = max(FilePath(uri).files, key=lambda file: (file.modified_at, file.path))
        found = file_columns(source, newest)
        return () if found is None else tuple(found.types)
    except (FeatureStoreError, OSError, ValueError, DeltaError, pa.ArrowException):
        return ()  # without data there are only the columns of the definitions
