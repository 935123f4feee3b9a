"""The data of the pages of saved training sets and of models."""

from collections.abc import Iterator, Sequence

from featurestore.site.catalog import Catalog
from featurestore.site.documents.parts import Document, moment, safe
from featurestore.store.ledger.models import ModelRecord
from featurestore.store.training_sets.notes import TrainingSet


def training_set_document(saved: Sequence[TrainingSet], catalog: Catalog) -> Document:
    """Return the data of a training set's page.

    Args:
        saved: Its versions, the oldest first; one with an ``error`` if it is damaged.
        catalog: Everything that the site shows.
    """
    newest = saved[-1]
    return {
        "schema": "featurestore.site.training_set/1",
        "kind": "training set",
        **training_set_summary(newest),
        "services": [
            {"name": name, "applied": catalog.manifest.service(name) is not None}
            for name in newest.services
        ],
        "features": [
            {
                "column": each.column,
                "view": each.view,
                "feature": each.feature,
                "applied": (each.view, each.feature) in catalog.impacts.lineage.features,
            }
            for each in newest.features
        ],
        "timestamp_field": newest.timestamp_field,
        "immature_rows": newest.immature_rows,
        "spine_digest": newest.spine_digest,
        "featurestore_version": newest.featurestore_version,
        "views": [
            {"view": view, "table_id": pin.table_id, "version": pin.version}
            for view, pin in newest.views.items()
        ],
        "models": [
            {"name": model.name, "version": model.version, "of": model.training_set_version}
            for model in catalog.models
            if model.training_set == newest.name
        ],
        "versions": [training_set_summary(each) for each in reversed(saved)],
    }


def training_set_summary(saved: TrainingSet) -> Document:
    """Return one version of a training set, for a row of a list."""
    return {
        "name": saved.name,
        "version": saved.version,
        "rows": saved.rows,
        "columns": saved.columns,
        "label": saved.label,
        "selection": list(saved.selection),
        "registry_version": saved.registry_version,
        "saved_at": moment(saved.created_at),
        "saved_by": safe(saved.created_by),
        "error": None if saved.error is None else safe(saved.error),
    }


def model_document(versions: Sequence[ModelRecord], catalog: Catalog) -> Document:
    """Return the data of a model's page.

    Args:
        versions: Its versions, the oldest first.
        catalog: Everything that the site shows.
    """
    newest = versions[-1]
    return {
        "schema": "featurestore.site.model/1",
        "kind": "model",
        **model_summary(newest),
        "description": safe(newest.description),
        "tags": [safe(tag) for tag in newest.tags],
        "is_saved": newest.training_set in catalog.training_sets,
        "features": list(_features(newest, catalog)),
        "versions": [model_summary(each) for each in reversed(versions)],
    }


def model_summary(model: ModelRecord) -> Document:
    """Return one version of a model, for a row of a list."""
    return {
        "name": model.name,
        "version": model.version,
        "training_set": model.training_set,
        "training_set_version": model.training_set_version,
        "uri": safe(model.uri),
        "feature_count": len(model.features),
        "recorded_at": moment(model.recorded_at),
        "recorded_by": safe(model.recorded_by),
    }


def _features(model: ModelRecord, catalog: Catalog) -> Iterator[Document]:
    for name in model.features:
        view, _, feature = name.partition(":")
        applied = (view, feature) in catalog.impacts.lineage.features
        yield {"view": view, "feature": feature, "applied": applied}
