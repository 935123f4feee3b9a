"""Views with expectations, for tests."""

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Array, Field, Float64, Int64, String
from featurestore.definitions.model.view import FeatureView

CARD = Entity("card", join_keys=(Field("card_id", String),))
PAID = DeltaSource("paid", path="paid", timestamp_field="paid_at")
SCHEMA = (
    Field("amount", Float64),
    Field("country", String),
    Field("items", Int64),
    Field("vector", Array(Float64)),
)


def view(expectations: object) -> FeatureView:
    """Return a view of payments with these expectations."""
    return FeatureView(
        "payments", entities=(CARD,), source=PAID, schema=SCHEMA, expectations=expectations
    )
