"""`FeatureLookup`: a stage of MLlib's pipelines that looks up features as of each row's moment.

This is the one module outside of the Spark engine that imports pyspark when it is imported. A
stage must be a subclass of MLlib's Transformer, and MLlib finds the class of a saved stage by the
name of its module.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pyspark.ml import Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasHandleInvalid, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructField, StructType

from featurestore.client.distributed.engine_name import require_engine
from featurestore.client.feature_store import FeatureStore
from featurestore.client.frame.frame import FeatureFrame
from featurestore.client.frame.null_features import require_no_nulls
from featurestore.client.frame.spark_frame import SparkFrame
from featurestore.client.pinned.pin import ServicePin
from featurestore.client.pinned.retrieve import pin_features, retrieve_pinned
from featurestore.client.request import Request, compile_request
from featurestore.engines.spark.retrieve.vector import require_nulls, require_vector, with_vector
from featurestore.engines.spark.types import spark_type
from featurestore.engines.spine_times import NullTimes
from featurestore.errors import RequestError, nearest
from featurestore.query.compile import output_fields
from featurestore.query.selection import Selection, selection_text

if TYPE_CHECKING:
    _Readable = DefaultParamsReadable["FeatureLookup"]
else:
    _Readable = DefaultParamsReadable


def _text(name: str, explained: str) -> Param[str]:
    return Param(Params._dummy(), name, explained, typeConverter=TypeConverters.toString)


@dataclass(frozen=True)
class _OpenStore:
    """An open store of a stage, which Spark's copies of the stage share.

    Args:
        project: The folder of the project.
        environment: The name of its environment; empty for none.
        session: The session that it was opened for; None if the user opened it.
        store: The store.
    """

    project: str
    environment: str
    session: SparkSession | None
    store: FeatureStore

    def is_of(self, project: str, environment: str, session: SparkSession) -> bool:
        """Return whether the store is that of a project, for rows of a session."""
        is_same_place = (self.project, self.environment) == (project, environment)
        return is_same_place and (self.session is None or self.session is session)


class FeatureLookup(Transformer, HasOutputCol, HasHandleInvalid, _Readable, DefaultParamsWritable):
    """A stage that adds features to the rows of a spine, each as of its row's moment.

    `from_store` makes one. It is *pinned*: it keeps the fingerprint of the definitions that are
    applied at that time. A pipeline saves it with the model. Later, and in the project of another
    environment, it answers by these definitions, whatever is applied since. If the project never
    had them, or no table of theirs is left, `transform` refuses.

    Args:
        project: The folder of the project.
        environment: The name of its environment; empty for none.
        pin: What the features were when they were pinned, as a text.
        timestamp_field: The spine's time column.
        timezone: The zone of times without one; empty if there are none.
        null_times: ``"error"``, or ``"keep"`` to keep rows without a time with null features.
        engine: Who answers, as in ``get_historical_features``.

    Example:
        ``lookup = FeatureLookup.from_store(store, "fraud_v1", vector="features")``, and then
        ``Pipeline(stages=[lookup, LogisticRegression(labelCol="is_fraud")]).fit(spine)``
    """

    project = _text("project", "the folder of the project")
    environment = _text("environment", "the name of the project's environment")
    pin = _text("pin", "what the features were when they were pinned")
    timestamp_field = _text("timestamp_field", "the spine's time column")
    timezone = _text("timezone", "the zone of times without one")
    null_times = _text("null_times", "error, or keep for null features of rows without a time")
    engine = _text("engine", "who answers: spark, local or auto")

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(
            environment="",
            timestamp_field="event_timestamp",
            timezone="",
            null_times="error",
            engine="spark",
            outputCol="",
            handleInvalid="error",
        )
        self._open: _OpenStore | None = None

    @classmethod
    def from_store(  # noqa: PLR0913 - the arguments of a request, of a pin and of a vector
        cls,
        store: FeatureStore,
        features: Selection,
        *,
        timestamp_field: str = "event_timestamp",
        timezone: str | None = None,
        null_times: str = "error",
        engine: str = "spark",
        vector: str = "",
        nulls: str = "error",
        pin_tables: bool = False,
    ) -> "FeatureLookup":
        """Return a stage for features of a store, pinned to the applied definitions.

        Args:
            store: The store.
            features: A service, or views and features by their names.
            timestamp_field: The spine's time column.
            timezone: The zone of times without one, such as ``"Europe/Paris"``.
            null_times: ``"error"``, or ``"keep"`` to keep rows without a time with null features.
            engine: Who answers, as in ``get_historical_features``.
            vector: The name of one more column with all features as a vector; empty for none.
            nulls: What happens to a row with a null feature, if there is a vector: ``"error"``
                fails, ``"keep"`` makes it NaN, ``"skip"`` leaves out the row.
            pin_tables: Whether to pin the versions of the tables too. Then rows that are stored
                later do not count, and `maintain` may remove what the stage needs.

        Raises:
            NotFoundError: A name is not applied.
            TableError: A view has no table of its applied definition.
            RequestError: A choice does not exist, the features have no names, or they make no
                vector: one is not numeric, or has the vector's name.
        """
        call = f"FeatureLookup.from_store({selection_text(features)})"
        require_engine(call, engine)
        require_nulls(call, nulls)
        request = Request(call, features, timestamp_field, timezone, _null_times(call, null_times))
        if vector:
            schema = _feature_schema(store, request)
            require_vector(schema, schema.names, vector=vector, nulls=nulls, call=call)
        made = cls()
        made._set(
            project=str(store.settings.folder.absolute()),
            environment=store.settings.environment or "",
            pin=pin_features(store, request, tables=pin_tables).to_json(),
            timestamp_field=timestamp_field,
            timezone=timezone or "",
            null_times=null_times,
            engine=engine,
            outputCol=vector,
            handleInvalid=nulls,
        )
        made._open = _OpenStore(*made._place(), None, store)
        return made

    def use_project(self, folder: str, env: str | None = None) -> "FeatureLookup":
        """Use the project of another folder, and return this stage: a saved one has moved.

        Args:
            folder: The folder with ``featurestore.toml``.
            env: The name of its environment.
        """
        self._set(project=str(folder), environment=env or "")
        return self

    @property
    def pinned(self) -> ServicePin:
        """What the features were when they were pinned.

        Raises:
            RequestError: The stage is not pinned, or its text was changed.
        """
        if not self.isSet(self.pin):
            raise RequestError(
                "FeatureLookup()",
                "the stage is not pinned to any features",
                "Make it with FeatureLookup.from_store(store, features).",
            )
        return ServicePin.from_json(self.getOrDefault(self.pin))

    @property
    def feature_columns(self) -> tuple[str, ...]:
        """The names of the feature columns, e.g. for VectorAssembler."""
        return self.pinned.outputs

    def _transform(self, dataset: DataFrame) -> DataFrame:
        pin = self.pinned
        call = f"FeatureLookup of {', '.join(pin.features)}"
        request = Request(
            call,
            list(pin.features),
            self.getOrDefault(self.timestamp_field),
            self.getOrDefault(self.timezone) or None,
            _null_times(call, self.getOrDefault(self.null_times)),
        )
        store, engine = self._opened(dataset.sparkSession), self.getOrDefault(self.engine)
        frame = retrieve_pinned(store, pin, request, dataset, engine)
        rows = _spark_rows(frame, dataset.sparkSession)
        vector = self.getOrDefault(self.outputCol)
        if not vector:
            return rows
        nulls = self.getOrDefault(self.handleInvalid)
        if isinstance(frame, FeatureFrame) and nulls == "error":
            require_no_nulls(call, frame.table.select(list(frame.features)))
        return with_vector(rows, frame.features, vector=vector, nulls=nulls, call=call)

    def _opened(self, spark: SparkSession) -> FeatureStore:
        """Return the store of the stage's project: parameters may be those of a copy."""
        folder, env = self._place()
        kept = self._open
        if kept is None or not kept.is_of(folder, env, spark):
            store = FeatureStore(folder, spark=spark, env=env or None)
            kept = self._open = _OpenStore(folder, env, spark, store)
        return kept.store

    def _place(self) -> tuple[str, str]:
        return self.getOrDefault(self.project), self.getOrDefault(self.environment)


def _feature_schema(store: FeatureStore, request: Request) -> StructType:
    """Return the feature columns of a request with their types in Spark."""
    manifest = store.registry.current(request.call).manifest
    fields = output_fields(compile_request(manifest, request, spine=None))
    return StructType([StructField(each.name, spark_type(each.dtype)) for each in fields])


def _spark_rows(frame: FeatureFrame | SparkFrame, spark: SparkSession) -> DataFrame:
    return frame.to_spark(spark) if isinstance(frame, FeatureFrame) else frame.to_spark()


def _null_times(call: str, text: str) -> NullTimes:
    choices: tuple[NullTimes, ...] = get_args(NullTimes)
    for choice in choices:
        if text == choice:
            return choice
    raise RequestError(call, f"null_times is {text!r}", nearest(text, choices))
