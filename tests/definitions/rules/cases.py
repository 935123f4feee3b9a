"""A small valid project in objects, and the problems that the rules find in changes to it."""

from typing import Any

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Boolean, Field, Float64, Int64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules import Issue, check

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
    arguments = {"entities": (CARD,), "source": PAYMENTS, "schema": SCHEMA, **changes}
    return FeatureView(name, **arguments)


def windows(*aggregations: Aggregation) -> FeatureView:
    """Return a valid view with these aggregations."""
    return view(aggregations=aggregations)


def issues(*definitions: Definition) -> list[Issue]:
    """Return the problems that the rules find."""
    return check(Manifest.of(list(definitions)))


def rules(*definitions: Definition) -> list[str]:
    """Return the name of the rule behind each problem that the rules find."""
    return [issue.rule for issue in issues(*definitions)]


def missing(issue: Issue, *parts: object) -> list[str]:
    """Return the parts that a problem's message does not contain."""
    return [str(part) for part in parts if str(part) not in issue.message]
