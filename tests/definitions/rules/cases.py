"""A small valid project in objects, and what the rules say of changes to it."""

from typing import Any

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Boolean, Field, Float64, Int64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules import check

CARD = Entity("card", join_keys=(Field("card_id", String),))
PAYMENTS = DeltaSource("payments", path="data/payments", timestamp_field="paid_at")
SCHEMA = (
    Field("amount", Float64),
    Field("merchant", String),
    Field("items", Int64),
    Field("online", Boolean),
)


def view(name: str = "activity", **changes: Any) -> FeatureView:
    """Return a valid view with some arguments replaced."""
    given = {"entities": (CARD,), "source": PAYMENTS, "schema": SCHEMA, **changes}
    return FeatureView(name, **given)


def windows(*aggregations: Aggregation) -> FeatureView:
    """Return a valid view with these aggregations."""
    return view(aggregations=aggregations)


def messages(*definitions: Definition) -> list[str]:
    """Return what the rules say, without places."""
    return [issue.message for issue in check(Manifest.of(list(definitions)))]
