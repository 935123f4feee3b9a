"""The data of the pages of entities, sources and services."""

from featurestore.client.catalog.snippets import service_snippets
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import DeltaSource, RequestSource, Source
from featurestore.definitions.model.view import FeatureReference
from featurestore.registry.features import View
from featurestore.registry.meaning import source_type
from featurestore.site.catalog import Catalog
from featurestore.site.documents.parts import Document, entities_of, fields_of, label_of, safe


def entity_document(entity: Entity, catalog: Catalog) -> Document:
    """Return the data of an entity's page."""
    views = [view.name for view in catalog.manifest.views if entity in view.entities]
    views += [
        view.name
        for view in catalog.manifest.on_demand_views
        if any(entity in use.view.entities for use in view.uses)
    ]
    return {
        "schema": "featurestore.site.entity/1",
        "kind": "entity",
        **label_of(entity, catalog),
        "join_keys": fields_of(entity.join_keys),
        "views": views,
    }


def source_document(source: Source, catalog: Catalog) -> Document:
    """Return the data of a source's page."""
    views: list[View] = [view for view in catalog.manifest.views if view.source == source]
    views += [view for view in catalog.manifest.on_demand_views if source in view.requests]
    return {
        "schema": "featurestore.site.source/1",
        "kind": "source",
        **label_of(source, catalog),
        "type": source_type(source),
        "path": None if isinstance(source, RequestSource) else safe(source.location),
        "columns": _columns(source, catalog),
        "unknown": list(catalog.impacts.lineage.unknown.get(source.name, ())),
        "roles": _roles(source),
        "views": [view.name for view in views],
        "entities": entities_of(views),
    }


def service_document(service: FeatureService, catalog: Catalog) -> Document:
    """Return the data of a service's page."""
    types = {
        (view, feature.name): feature.dtype
        for view in {use.view.name for use in service.references}
        for feature in catalog.features.get(view, ())
    }
    features = [
        {
            "column": f"{use.prefix}{name}",
            "view": use.view.name,
            "feature": name,
            "type": types.get((use.view.name, name), ""),
            "strictly_before": isinstance(use, FeatureReference) and use.strict,
            "timestamp_field": getattr(use, "timestamp_field", None),
            "join_keys": dict(getattr(use, "join_keys", ())),
        }
        for use in service.references
        for name in use.feature_names
    ]
    return {
        "schema": "featurestore.site.service/1",
        "kind": "service",
        **label_of(service, catalog),
        "features": features,
        "views": list(dict.fromkeys(use.view.name for use in service.references)),
        "entities": entities_of(use.view for use in service.references),
        "snippets": service_snippets(service),
    }


def _columns(source: Source, catalog: Catalog) -> list[Document]:
    """Return the declared columns, then those that a run has found beside them.

    ``used_as`` is how the definitions spell a column; None if none of them names it.
    """
    declared = [] if isinstance(source, DeltaSource) else fields_of(source.schema)
    names = {each["name"].lower() for each in declared}
    found = catalog.found_columns.get(source.name, ())
    others = [
        {"name": each.name, "type": each.type, "description": "", "personal": False}
        for each in found
        if each.name.lower() not in names
    ]
    used = {name.lower(): name for name in catalog.impacts.columns.get(source.name, ())}
    return [{**each, "used_as": used.get(each["name"].lower())} for each in (*declared, *others)]


def _roles(source: Source) -> dict[str, str]:
    roles = source.roles
    named = {role: column for role, column in roles.columns.items() if column is not None}
    return {**named, **({"unique_by": ", ".join(roles.unique_by)} if roles.unique_by else {})}
