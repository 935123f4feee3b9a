"""`FeatureStore`: the one object that people use; each method hands over to a module.

A method imports what it needs when it is called, so that `status` and `plan` load neither the
kernel nor pyspark (ruff's rule about local imports is off for this one module).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from featurestore.client.status import ViewStatus, view_statuses
from featurestore.definitions.loading.loader import load
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.view import FeatureView
from featurestore.optional import spark_extra
from featurestore.registry.plan import Plan, plan
from featurestore.registry.registry import Registry, RegistryVersion
from featurestore.settings import Settings, read_settings
from featurestore.store.layout import Layout
from featurestore.times import Clock, parse_moment, system_clock

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from pyspark.sql import SparkSession

    from featurestore.client.frame.frame import FeatureFrame
    from featurestore.client.label import Label
    from featurestore.client.reader import Reader
    from featurestore.client.verify.report import Verification
    from featurestore.engines.bind import NullTimes
    from featurestore.jobs.materialize.job import Job, RunResult
    from featurestore.jobs.materialize.progress import Progress


class FeatureStore:
    """A project's features: what is declared, what is applied, and every value at every moment.

    Reading starts no JVM. Spark starts when something is materialized or previewed.

    Args:
        folder: The project's folder, which holds ``featurestore.toml``.
        spark: A session to use in place of one of the store's own; it is not changed.
        clock: Gives the present moment.
        memory_limit: What features, and SQL, may take, e.g. ``"2GB"``; None for the project's.

    Raises:
        ProjectError: The folder is no project.

    Example:
        >>> FeatureStore("no/such/folder")
        Traceback (most recent call last):
        ...
        featurestore.errors.ProjectError: open project no/such/folder: ...
    """

    def __init__(
        self,
        folder: "str | Path" = ".",
        *,
        spark: "SparkSession | None" = None,
        clock: Clock = system_clock,
        memory_limit: int | str | None = None,
    ) -> None:
        self.settings: Settings = read_settings(folder, memory_limit)
        self.layout = Layout(self.settings.store_root, folder=self.settings.folder)
        self.registry = Registry(self.layout, clock)
        self._user_session, self._clock = spark, clock

    def load(self) -> Manifest:
        """Return what the definitions folder declares.

        Raises:
            DefinitionError: It does not import or breaks rules; every problem is listed.
        """
        from featurestore.engines.on_demand.sql_rules import sql_issues

        folder = self.settings.definitions_folder
        return load(folder, project=self.settings.folder, rules=(sql_issues,))

    def applied(self) -> Manifest:
        """Return what is applied; a `NotFoundError` where nothing is yet."""
        return self.registry.current(f"open project {self.settings.project!r}").manifest

    def plan(self) -> Plan:
        """Return what `apply` would change: the definitions, loaded, against what is applied."""
        return plan(self.registry.latest(), self.load())

    def apply(self, plan: Plan) -> RegistryVersion:
        """Carry out exactly the plan's changes and return the registry's new version.

        Raises:
            ConflictError: The plan is stale: somebody applied another since.
        """
        return self.registry.apply(plan)

    def history(self) -> list[RegistryVersion]:
        """Return every applied version, oldest first."""
        return self.registry.history()

    def status(self) -> list[ViewStatus]:
        """Return what is known of each applied view: its table, its rows, its last run."""
        return view_statuses(self.applied(), self.layout)

    def materialize(
        self,
        views: Sequence[str] | None = None,
        *,
        start: str | datetime | None = None,
        full: bool = False,
        progress: "Progress | None" = None,
    ) -> "list[RunResult]":
        """Bring feature tables up to date with their sources, by Spark.

        Args:
            views: The views' names; None for all.
            start: On a view's first build, leave out events before this moment.
            full: Build the tables anew from all of their sources.
            progress: Is told how far each view is.

        Returns:
            One result a view. A view that failed does not stop the others: see ``status``.

        Raises:
            NotFoundError: A view is not applied.
            ConflictError: Somebody else is materializing a view.
        """
        with spark_extra("materialize"):
            from featurestore.jobs.materialize.materialize import materialize

        first = None if start is None else parse_moment(start)
        return materialize(self._job(), views, start=first, full=full, progress=progress)

    def refresh_latest(self, views: Sequence[str] | None = None) -> dict[str, int]:
        """Write the ``latest`` tables anew as of now; return each one's Delta version.

        Args:
            views: The views' names; None for all that keep such a table.
        """
        with spark_extra("refresh_latest"):
            from featurestore.jobs.materialize.materialize import refresh_latest

        return refresh_latest(self._job(), views)

    def get_training_set(
        self,
        features: str | Sequence[str],
        spine: Any,
        *,
        label: "str | Label",
        timestamp_field: str = "event_timestamp",
        timezone: str | None = None,
        null_times: "NullTimes" = "error",
    ) -> "FeatureFrame":
        """Return the spine with the features that were known at each of its rows' moments.

        Args:
            features: A service's name, or references such as ``["card_activity:amount_sum_7d"]``.
            spine: Rows with keys, a time and a label: Arrow, pandas, Polars, Spark, dicts or a
                path.
            label: The spine's column that a model shall learn, or a `Label` to compute from a
                view: rows whose label cannot be known yet are dropped, or kept with null.
            timestamp_field: The spine's time column.
            timezone: The zone of times that have none.
            null_times: ``"keep"`` answers rows without a time by nulls in place of an error.

        Returns:
            Every (mature) spine row once, in order, all its columns, then the features.

        Raises:
            NotFoundError: A name is not applied.
            SpineError: The spine does not fit.
            TableError: A view was never materialized.
        """
        from featurestore.client.request import Request
        from featurestore.client.training_set import training_set

        call = f"get_training_set({features!r})"
        request = Request(call, features, timestamp_field, timezone, null_times)
        now = self._clock()
        return self._with_spark(
            training_set(self.applied(), self._reader, request, spine, label, now)
        )

    def get_historical_features(
        self,
        features: str | Sequence[str],
        spine: Any,
        *,
        timestamp_field: str = "event_timestamp",
        timezone: str | None = None,
        null_times: "NullTimes" = "error",
    ) -> "FeatureFrame":
        """Return the spine with the features as of each row's moment, e.g. for offline scoring.

        Arguments, result and errors: as `get_training_set`'s, without a label.
        """
        from featurestore.client.request import Request
        from featurestore.client.retrieve import retrieve
        from featurestore.client.spines.read import read_spine

        call = f"get_historical_features({features!r})"
        request = Request(call, features, timestamp_field, timezone, null_times)
        return self._with_spark(retrieve(self.applied(), self._reader, request, read_spine(spine)))

    def get_latest_features(self, features: str | Sequence[str], rows: Any) -> "FeatureFrame":
        """Return the rows with the features as of now: the historical ones at this moment.

        Args:
            features: As in `get_training_set`.
            rows: Rows with keys and no time column, e.g. ``[{"card_id": "c1"}]``.
        """
        from featurestore.client.request import Request
        from featurestore.client.retrieve import retrieve_latest
        from featurestore.client.spines.read import read_spine

        request = Request(f"get_latest_features({features!r})", features)
        manifest, spine = self.applied(), read_spine(rows)
        return self._with_spark(
            retrieve_latest(manifest, self._reader, request, spine, self._clock())
        )

    def verify(  # noqa: PLR0913 - what to ask, and how to draw it
        self,
        features: str | Sequence[str],
        *,
        sample: int = 1000,
        spine: Any = None,
        leakage: bool = False,
        seed: int = 0,
        timestamp_field: str = "event_timestamp",
        timezone: str | None = None,
    ) -> "Verification":
        """Return whether sampled answers are what the rules give, recomputed in plain Python.

        Args:
            features: As in `get_training_set`.
            sample: How many rows to ask of each view.
            spine: Rows to draw from; without, moments are drawn at the edges of stored events.
            leakage: Also name features that change without the rows at or after each moment.
            seed: Draws the sample.
            timestamp_field: The spine's time column.
            timezone: The zone of times that have none.
        """
        from featurestore.client.request import Request
        from featurestore.client.verify.verify import Check, verify

        request = Request(f"verify({features!r})", features, timestamp_field, timezone)
        check = Check(request, sample, spine, leakage, seed)
        return verify(self.applied(), self._reader, check)

    def sql(self, text: str) -> "pa.Table":
        """Return the rows of a SELECT over Delta sources and views' rows as stored, revised too.

        Args:
            text: One SELECT in DuckDB's SQL; each view and Delta source is a table of its name.
        """
        from featurestore.client.sql import query_sql

        return query_sql(self.applied(), self.layout, self.settings, text)

    def get_label_spine(
        self,
        view: str,
        *,
        columns: Sequence[str] | None = None,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        as_of: str | datetime | None = None,
    ) -> "pa.Table":
        """Return a view's events as a spine: keys, ``event_timestamp`` and columns, by time.

        Args:
            view: The view's name, e.g. of chargebacks.
            columns: The fields that come along, e.g. the label; None for all.
            start: The first event; None for no bound.
            end: The moment before which events end; None for no bound.
            as_of: The moment whose knowledge counts: of events revised by then the newest
                revision comes, and none that was deleted. None for now.
        """
        from featurestore.client.spines.events import Events, label_spine

        moment = self._clock() if as_of is None else parse_moment(as_of)
        events = Events(view, columns, start, end)
        return label_spine(self.applied(), self._reader, events, moment)

    def preview(
        self, view: FeatureView | OnDemandFeatureView, rows: Any, *, timezone: str | None = None
    ) -> "FeatureFrame":
        """Return the rows with the features of a view that need not be applied; writes nothing.

        A view's source is read and transformed by Spark, for the keys of these rows only.

        Args:
            view: The definition.
            rows: A few rows, with the view's keys or the on-demand view's inputs, and a moment.
            timezone: The zone of times that have none.
        """
        from featurestore.client.preview.dispatch import Surroundings, preview
        from featurestore.client.spines.read import read_spine

        around = Surroundings(self.layout, self._spark)
        return self._with_spark(preview(view, read_spine(rows), around, timezone))

    @cached_property
    def _reader(self) -> "Reader":
        from featurestore.client.reader import Reader

        return Reader(self.layout, self.settings)

    def _job(self) -> "Job":
        from featurestore.jobs.materialize.job import Job

        return Job(
            self.layout,
            applied=self.applied,
            loaded=self.load,
            spark=self._spark,
            clock=self._clock,
        )

    def _with_spark(self, frame: "FeatureFrame") -> "FeatureFrame":
        return replace(frame, _spark_session=self._spark)

    def _spark(self) -> "SparkSession":
        with spark_extra("start Spark"):
            from featurestore.engines.spark.session.session import accept, session

        if self._user_session is not None:
            return accept(self._user_session)
        state = self.settings.folder / ".featurestore"
        return session(self.settings.spark_conf_file, warehouse=state)
