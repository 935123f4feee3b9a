"""`RetrieveCalls`: the calls of a store that return features as of each row's moment.

They are a class of their own because `FeatureStore` has no room for them.
"""

from dataclasses import replace
from datetime import datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

from featurestore.client.arguments import checked_arguments
from featurestore.client.distributed.answering import Answering, answering_engine
from featurestore.definitions.model.manifest import Manifest
from featurestore.optional import spark_extra
from featurestore.query.selection import Selection, selection_text
from featurestore.times import Clock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from featurestore.client.frame.frame import FeatureFrame
    from featurestore.client.frame.spark_frame import SparkFrame
    from featurestore.client.label import Label
    from featurestore.client.lineage.training_sets import Saver
    from featurestore.client.reader import Reader
    from featurestore.client.request import Request

_NullTimes = Literal["error", "keep"]
_Local = Literal["local"]
_Distributed = Literal["spark", "scan", "shuffle"]


class _Times(TypedDict, total=False):
    """How the spine's times are read: arguments of each call, as the overloads have them."""

    timestamp_field: str
    timezone: str | tzinfo | None
    null_times: _NullTimes


class RetrieveCalls:
    """The calls of `FeatureStore` for features at past moments. ``engine=`` says who answers."""

    if TYPE_CHECKING:  # what FeatureStore has
        _clock: Clock

        @property
        def _reader(self) -> Reader: ...

        def _spark(self) -> "SparkSession": ...

        def load(self) -> Manifest: ...

        def _served(self, request: Request) -> Manifest: ...

        def _saver(self, selection: Selection) -> Saver | None: ...

        def _savable(self, frame: FeatureFrame, selection: Selection) -> FeatureFrame: ...

    @overload
    def get_training_set(
        self,
        features: "Selection",
        spine: Any,
        *,
        label: "str | Label",
        engine: _Local = "local",
        **times: Unpack[_Times],
    ) -> "FeatureFrame": ...

    @overload
    def get_training_set(
        self,
        features: "Selection",
        spine: Any,
        *,
        label: "str | Label",
        engine: _Distributed,
        **times: Unpack[_Times],
    ) -> "SparkFrame": ...

    @overload
    def get_training_set(
        self,
        features: "Selection",
        spine: Any,
        *,
        label: "str | Label",
        engine: str,
        **times: Unpack[_Times],
    ) -> "FeatureFrame | SparkFrame": ...

    @checked_arguments
    def get_training_set(  # noqa: PLR0913 - the request's arguments
        self,
        features: "Selection",
        spine: Any,
        *,
        label: "str | Label",
        timestamp_field: str = "event_timestamp",
        timezone: str | tzinfo | None = None,
        null_times: _NullTimes = "error",
        engine: str = "local",
    ) -> "FeatureFrame | SparkFrame":
        """Return labelled rows with their features, each as of its row's moment.

        Args:
            features: A service, or views and features such as ``["card_activity:amount_sum_7d"]``:
                names or definitions.
            spine: Rows with keys, a time and a label: an Arrow table, a pandas, Polars or Spark
                DataFrame, a list of dicts, or a path.
            label: The spine's column that a model learns, or a `Label` to compute from a view.
                Its ``immature=`` says what happens to rows whose labels are not mature yet.
            timestamp_field: The spine's time column.
            timezone: The zone of times without one, such as ``"Europe/Paris"``.
            null_times: ``"error"``, or ``"keep"`` to keep rows without a time with null features.
            engine: ``"local"`` answers in this process, ``"spark"`` on Spark's executors, and
                ``"auto"`` where it is faster: ``frame.plan()`` says which and why.

        Returns:
            Each (mature) spine row once, with all its columns, then the features: in the spine's
            order as a `FeatureFrame`, or distributed as a `SparkFrame`.

        Raises:
            NotFoundError: A name is not applied.
            SpineError: A column of the spine is missing or has a wrong type.
            TableError: A view was never materialized, or was changed since.
            RequestError: There is no such engine.
        """
        call = f"get_training_set({selection_text(features)})"
        request = self._request(call, features, timestamp_field, timezone, null_times)
        manifest, now = self._served(request), self._clock()
        answering = answering_engine(manifest, self._reader, request, spine, engine, label)
        if answering.is_local:
            # Imported here, as in `FeatureStore`: plans and states need no kernel.
            from featurestore.client.training_set import training_set  # noqa: PLC0415 - see above

            frame = training_set(manifest, self._reader, request, answering.spine, label, now)
            return self._savable(replace(frame, _plan=answering.plan), features)
        return self._by_spark(manifest, request, answering, now, label)

    @overload
    def get_historical_features(
        self,
        features: "Selection",
        spine: Any,
        *,
        engine: _Local = "local",
        **times: Unpack[_Times],
    ) -> "FeatureFrame": ...

    @overload
    def get_historical_features(
        self,
        features: "Selection",
        spine: Any,
        *,
        engine: _Distributed,
        **times: Unpack[_Times],
    ) -> "SparkFrame": ...

    @overload
    def get_historical_features(
        self,
        features: "Selection",
        spine: Any,
        *,
        engine: str,
        **times: Unpack[_Times],
    ) -> "FeatureFrame | SparkFrame": ...

    @checked_arguments
    def get_historical_features(
        self,
        features: "Selection",
        spine: Any,
        *,
        timestamp_field: str = "event_timestamp",
        timezone: str | tzinfo | None = None,
        null_times: _NullTimes = "error",
        engine: str = "local",
    ) -> "FeatureFrame | SparkFrame":
        """Return rows with their features, each as of its row's moment, e.g. for offline scoring.

        Args:
            features: As in `get_training_set`.
            spine: Rows with keys and a time, as in `get_training_set`, without a label.
            timestamp_field: The spine's time column.
            timezone: The zone of times without one, such as ``"Europe/Paris"``.
            null_times: ``"error"``, or ``"keep"`` to keep rows without a time with null features.
            engine: As in `get_training_set`.

        Returns:
            Each spine row once, with all its columns, then the features: in the spine's order as
            a `FeatureFrame`, or distributed as a `SparkFrame`.

        Raises:
            NotFoundError: A name is not applied.
            SpineError: A column of the spine is missing or has a wrong type.
            TableError: A view was never materialized, or was changed since.
            RequestError: There is no such engine.
        """
        call = f"get_historical_features({selection_text(features)})"
        request = self._request(call, features, timestamp_field, timezone, null_times)
        manifest, now = self._served(request), self._clock()
        answering = answering_engine(manifest, self._reader, request, spine, engine)
        if answering.is_local:
            from featurestore.client.retrieve import retrieve  # noqa: PLC0415 - as above

            frame = retrieve(manifest, self._reader, request, answering.spine)
            return self._savable(replace(frame, _plan=answering.plan), features)
        return self._by_spark(manifest, request, answering, now)

    def _request(
        self,
        call: str,
        features: "Selection",
        timestamp_field: str,
        timezone: str | tzinfo | None,
        null_times: _NullTimes,
    ) -> "Request":
        from featurestore.client.request import Request  # noqa: PLC0415 - as above

        return Request(call, features, timestamp_field, timezone, null_times)

    def _by_spark(
        self,
        manifest: Manifest,
        request: "Request",
        answering: Answering,
        now: datetime,
        label: "str | Label | None" = None,
    ) -> "SparkFrame":
        with spark_extra(request.call):
            from featurestore.client.distributed.retrieve import (  # noqa: PLC0415 - needs pyspark
                Distributed,
                retrieve_by_spark,
            )
            from featurestore.client.distributed.save import (  # noqa: PLC0415 - needs pyspark
                save_by_executors,
            )

        project = Distributed(
            manifest,
            self._reader,
            self._spark,
            now,
            loaded=self.load,
            engine=answering.engine,
            undecided=answering.undecided,
        )
        frame = retrieve_by_spark(project, request, answering.spine, label)
        saver = self._saver(request.features)
        return frame if saver is None else replace(frame, _saver=partial(save_by_executors, saver))
