"""featurestore: a lakehouse feature store whose answers are correct at each row's moment.

Definitions are plain Python objects. `FeatureStore` applies them, materializes their feature
tables, and returns feature values.
Importing this package starts no JVM and loads neither pyspark nor pandas nor pyarrow.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.drift import Drift
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.expectations import Expectations
from featurestore.definitions.model.on_demand import OnDemandFeatureView, OnDemandReference
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    KafkaSource,
    RequestSource,
)
from featurestore.definitions.model.types import (
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
from featurestore.definitions.model.view import FeatureReference, FeatureView
from featurestore.definitions.model.window import Sliding, Tumbling
from featurestore.errors import (
    ConflictError,
    ContractError,
    DataQualityError,
    DefinitionError,
    FeatureStoreError,
    FunctionError,
    MaterializationError,
    NotFoundError,
    OnDemandError,
    ProjectError,
    RequestError,
    SetupError,
    SourceError,
    SpineError,
    StorageError,
    SumOverflowError,
    TableError,
)

if TYPE_CHECKING:
    from featurestore.client.feature_store import FeatureStore
    from featurestore.client.frame.frame import FeatureFrame
    from featurestore.client.frame.spark_frame import SparkFrame
    from featurestore.client.label import Label
    from featurestore.client.spark_config import spark_config
    from featurestore.client.spines.file import csv_spine
    from featurestore.client.spines.grid import time_grid

__version__ = "0.1.0"  # the one place: the build reads it from here

__all__ = [
    "Aggregation",
    "Array",
    "Binary",
    "Boolean",
    "ConflictError",
    "ContractError",
    "DataQualityError",
    "Date",
    "Decimal",
    "DefinitionError",
    "DeltaSource",
    "Drift",
    "Entity",
    "Expectations",
    "FeatureFrame",
    "FeatureReference",
    "FeatureService",
    "FeatureStore",
    "FeatureStoreError",
    "FeatureView",
    "Field",
    "FileSource",
    "Float32",
    "Float64",
    "FunctionError",
    "Int32",
    "Int64",
    "KafkaSource",
    "Label",
    "MaterializationError",
    "NotFoundError",
    "OnDemandError",
    "OnDemandFeatureView",
    "OnDemandReference",
    "ProjectError",
    "RequestError",
    "RequestSource",
    "SetupError",
    "Sliding",
    "SourceError",
    "SparkFrame",
    "SpineError",
    "StorageError",
    "String",
    "SumOverflowError",
    "TableError",
    "Timestamp",
    "Tumbling",
    "csv_spine",
    "spark_config",
    "time_grid",
]


# delta-rs reads this variable once, while it is imported. Without it, delta-rs prints the logs of
# Amazon's library: paragraphs on stderr, where one line of an error says that there are no
# credentials.
os.environ.setdefault("RUST_LOG", "warn,aws_config=off")

# These names need Arrow and Delta, whose import takes 0.4 s. They are imported at their first use,
# so that definition files are fast to import.
_IMPORTED_ON_USE = {
    "FeatureFrame": "featurestore.client.frame.frame",
    "FeatureStore": "featurestore.client.feature_store",
    "Label": "featurestore.client.label",
    "SparkFrame": "featurestore.client.frame.spark_frame",
    "csv_spine": "featurestore.client.spines.file",
    "spark_config": "featurestore.client.spark_config",
    "time_grid": "featurestore.client.spines.grid",
}

if not TYPE_CHECKING:  # for mypy, a name that is neither imported above nor here is an error

    def __getattr__(name: str) -> Any:
        if name not in _IMPORTED_ON_USE:
            raise AttributeError(f"module 'featurestore' has no attribute {name!r}")
        return getattr(importlib.import_module(_IMPORTED_ON_USE[name]), name)
