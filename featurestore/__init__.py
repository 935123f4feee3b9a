"""featurestore: a lakehouse feature store whose answers are right at each row's moment.

Definitions are plain Python objects; `FeatureStore` plans, applies, materializes and answers.
Importing this package starts no JVM and loads neither pyspark nor pandas nor pyarrow.
"""

from typing import TYPE_CHECKING, Any

from featurestore.definitions.aggregation import Aggregation
from featurestore.definitions.entity import Entity
from featurestore.definitions.service import FeatureService
from featurestore.definitions.source import DeltaSource, FileSource, RequestSource
from featurestore.definitions.types import (
    Array,
    Binary,
    Boolean,
    Date,
    Decimal,
    Field,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
    Timestamp,
)
from featurestore.definitions.view import FeatureReference, FeatureView
from featurestore.definitions.window import Sliding, Tumbling
from featurestore.errors import FeatureStoreError

if TYPE_CHECKING:
    from featurestore.client.feature_store import FeatureStore

__all__ = [
    "Aggregation",
    "Array",
    "Binary",
    "Boolean",
    "Date",
    "Decimal",
    "DeltaSource",
    "Entity",
    "FeatureReference",
    "FeatureService",
    "FeatureStore",
    "FeatureStoreError",
    "FeatureView",
    "Field",
    "FileSource",
    "Float32",
    "Float64",
    "Int32",
    "Int64",
    "RequestSource",
    "Sliding",
    "String",
    "Timestamp",
    "Tumbling",
]


def __getattr__(name: str) -> Any:
    if name != "FeatureStore":
        raise AttributeError(f"module 'featurestore' has no attribute {name!r}")
    # Local, so that definition files do not pay for Arrow and Delta: 0.4 s at each import.
    from featurestore.client.feature_store import FeatureStore  # noqa: PLC0415 - see above

    return FeatureStore
