"""The pages of saved training sets and of models."""

from collections.abc import Iterator

from featurestore.site.catalog import Catalog
from featurestore.site.documents.trained import model_document, training_set_document
from featurestore.site.impact_pages import ExtraPage
from featurestore.site.lineage.graph import Node


def trained_pages(catalog: Catalog) -> Iterator[ExtraPage]:
    """Yield a page for each training set and for each model."""
    for name, saved in catalog.training_sets.items():
        node = Node("training set", name)
        own, more = training_set_document(saved, catalog), {"section": "training-sets.html"}
        yield ExtraPage(node.page, "training_set", name, own, more, node)
    for name, versions in catalog.models_by_name.items():
        node = Node("model", name)
        own, more = model_document(versions, catalog), {"section": "models.html"}
        yield ExtraPage(node.page, "model", name, own, more, node)
