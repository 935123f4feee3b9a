"""`FeatureStore`: the entry point of the package. Each method calls a function of a module.

A method imports this function when it is called. So `status` and `plan` load neither the kernel
nor pyspark. (For this module alone, ruff's rule about local imports is off.)
"""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from featurestore.client.arguments import checked_arguments, missing_method
from featurestore.client.catalog.calls import CatalogCalls
from featurestore.client.display import results as shown
from featurestore.client.display.results import Results
from featurestore.client.distributed.calls import RetrieveCalls
from featurestore.client.lineage.calls import LineageCalls
from featurestore.client.monitoring.calls import MonitorCalls
from featurestore.client.profiles.calls import ProfileCalls
from featurestore.client.quarantine import Quarantine
from featurestore.client.status import ViewStatus, selected_statuses, view_statuses
from featurestore.client.streams.calls import StreamCalls
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import ProjectError
from featurestore.optional import spark_extra
from featurestore.query.selection import Selection, selection_text
from featurestore.registry.plan import Plan
from featurestore.registry.registry import Registry, RegistryVersion
from featurestore.registry.serving import Serving, serving
from featurestore.settings import Settings, read_settings
from featurestore.store.layout import Layout
from featurestore.store.paths import table_folder_problem
from featurestore.times import Clock, parse_moment_argument, system_clock

if TYPE_CHECKING:
    from typing import Self

    import pyarrow as pa
    from pyspark.sql import SparkSession

    from featurestore.client.frame.frame import FeatureFrame
    from featurestore.client.reader import Reader
    from featurestore.client.request import Request
    from featurestore.client.verify.report import Verification
    from featurestore.definitions.rules.issue import Issue
    from featurestore.engines.latest.refreshed import Refreshed
    from featurestore.jobs.doctor.finding import Finding
    from featurestore.jobs.maintain.maintain import Maintenance
    from featurestore.jobs.materialize.job import Job, RunResult
    from featurestore.jobs.materialize.progress import Progress
    from featurestore.jobs.schedule.due import ViewSchedule


class FeatureStore(
    CatalogCalls, LineageCalls, MonitorCalls, ProfileCalls, RetrieveCalls, StreamCalls
):
    """A project's feature store: its definitions, its feature tables and its feature values.

    Reading starts no JVM. Spark starts only to materialize, to preview a view, and for `to_spark`.
    It then runs until the process ends, or until `close`. So use ``with`` where Spark shall end
    earlier: ``with fs.FeatureStore(".") as store: ...``.

    Wherever a call takes names of services and views, it also takes the definitions themselves, a
    use of a view such as ``view[["amount_sum_7d"]]``, or a list of these.

    Args:
        folder: The project's folder, with its ``featurestore.toml``.
        spark: A Spark session to use. Its settings are not changed. None to start one if needed.
        clock: Returns the present moment.
        memory_limit: The memory that features and SQL may use, e.g. ``"2GB"``. None for the limit
            in ``featurestore.toml``.
        env: The environment: a table ``[environments.NAME]`` of ``featurestore.toml``, which has
            another root. None for that of the environment variable ``FEATURESTORE_ENV``.

    Raises:
        ProjectError: The folder has no valid ``featurestore.toml``, or it has no such environment.

    Example:
        >>> FeatureStore("no/such/folder")
        Traceback (most recent call last):
        ...
        featurestore.errors.ProjectError: open project no/such/folder: ...
    """

    @checked_arguments
    def __init__(
        self,
        folder: str | Path = ".",
        *,
        spark: "SparkSession | None" = None,
        clock: Clock = system_clock,
        memory_limit: int | str | None = None,
        env: str | None = None,
    ) -> None:
        self.settings: Settings = read_settings(folder, memory_limit, env)
        self.layout = Layout(self.settings.store_root, folder=self.settings.folder)
        if problem := table_folder_problem(self.layout.root):
            fix = "Set root in featurestore.toml to another folder, or rename the folder."
            raise ProjectError(f"open project {folder}", problem, fix)
        self.registry = Registry(self.layout, clock)
        self._user_session, self._clock, self._used_spark = spark, clock, False
        self._served_by: tuple[object, Serving] | None = None

    def close(self) -> None:
        """Stop the Spark session, if this store started it, and close the open tables.

        The store can still be used: it opens again what it needs. A session that was running
        before, or that another store uses, is not stopped.
        """
        self.__dict__.pop("_reader", None)
        if self._user_session is None and self._used_spark:
            from featurestore.engines.spark.session.session import release

            release(self)
            self._used_spark = False

    def __enter__(self) -> "Self":
        """Return the store; the end of the block closes it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the store."""
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """Pickle and copy without open tables and without a Spark session.

        The copy uses the Spark session that runs in its process, or starts one.
        """
        state = {name: value for name, value in vars(self).items() if name != "_reader"}
        return state | {"_user_session": None, "_used_spark": False}

    def __repr__(self) -> str:
        """Return the project's name and folder."""
        env = f", env={self.settings.environment!r}" if self.settings.environment else ""
        project, folder = self.settings.project, str(self.settings.folder)
        return f"FeatureStore(project {project!r}, {folder!r}{env})"

    def _repr_html_(self) -> str:
        """Return the applied views and services, for a notebook."""
        from featurestore.client.display.overview import overview_html

        return overview_html(self.registry.latest(), repr(self))

    if not TYPE_CHECKING:  # for mypy, a name that the class does not have is an error

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(missing_method(name), name=name, obj=self)

    def load(self) -> Manifest:
        """Return the definitions in the definitions folder.

        Raises:
            DefinitionError: A file cannot be imported, or definitions break rules. Every problem
                is listed.
        """
        from featurestore.jobs.loading import load_definitions

        return load_definitions(self.settings)

    def applied(self) -> Manifest:
        """Return the applied definitions.

        Raises:
            NotFoundError: Nothing is applied yet.
        """
        return self.registry.current(f"open project {self.settings.project!r}").manifest

    def served(self, features: "Selection | None" = None) -> Manifest:
        """Return the definitions that answers follow.

        These are the applied ones, unless a change waits for its table to be built: until then a
        view is answered from its present table, by the definition of that table.

        Args:
            features: Features that these definitions must have, if they are applied.

        Raises:
            NotFoundError: Nothing is applied.
            TableError: A feature is applied, and its table is not built yet.
        """
        current = self._serving()
        if features is not None:
            from featurestore.query.selection import selection_text

            current.require(features, f"features {selection_text(features)}")
        return current.manifest

    def plan(self) -> Plan:
        """Return what `apply` would change: loaded definitions compared with the applied ones.

        The plan's ``source_issues`` are what `source_issues` finds, and the source files that a
        new build of a table cannot read any more. Its ``taken_up`` are the views whose change is
        taken back, so that their earlier tables go on.

        Raises:
            DefinitionError: A file cannot be imported, or definitions break rules. Every problem
                is listed, those of the sources too.
        """
        from featurestore.client.source_check.load import load_with_sources
        from featurestore.client.source_check.plan import project_plan

        declared = load_with_sources(self.settings, self.layout)
        return project_plan(self.registry.latest(), declared, self.layout)

    @checked_arguments
    def source_issues(self, declared: Manifest | None = None) -> "list[Issue]":
        """Return what is wrong with the sources' newest data, as far as it is seen without Spark.

        It looks at local Delta tables and files: whether there are any, their columns, types and
        times. `materialize` checks the rest.

        Args:
            declared: The definitions. None for those in the definitions folder.
        """
        from featurestore.client.source_check.check import source_issues

        return source_issues(self.load() if declared is None else declared, self.layout)

    @checked_arguments
    def apply(self, plan: Plan) -> RegistryVersion:
        """Record exactly the plan's changes and return the registry's new version.

        Args:
            plan: The result of `plan`.

        Raises:
            ConflictError: The plan is outdated: another plan was applied after it was made.
            RequestError: It is no plan.
        """
        return self.registry.apply(plan)

    @checked_arguments
    def status(self, views: "Selection | None" = None) -> list[ViewStatus]:
        """Return the state of each applied view: its table, its newest event and its last run.

        Args:
            views: Views, or services for all views that they need. None for all views.

        Raises:
            NotFoundError: A view or a service is not applied.
        """
        applied, earlier = self.applied(), self._serving().earlier
        statuses = view_statuses(applied, self.layout, earlier, self._clock(), cache(self.load))
        return Results(selected_statuses(statuses, applied, views), shown.STATUSES)

    @checked_arguments
    def materialize(  # noqa: PLR0913 - the options of a run
        self,
        views: "Selection | None" = None,
        *,
        due: bool = False,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        full: bool = False,
        accept_schema: bool = False,
        wait: bool = False,
        on_failure: Literal["raise", "return"] = "raise",
        progress: "Progress | bool | None" = None,
    ) -> "list[RunResult]":
        """Bring feature tables up to date with their sources, with Spark.

        Args:
            views: Views, or services for all views that they need. None for all views.
            due: Only run the views that are due by their ``schedule``, and run those again that
                fail, as often as ``retries`` in ``featurestore.toml`` says. See `due`.
            start: In a view's first build, leave out events before this moment.
            end: With ``start``, repair a range of event time: the rows from ``start`` until before
                this moment are computed again from the source, and replace the stored ones.
            full: Build the tables again from all source rows.
            accept_schema: Take the columns that the sources have now, where a view's
                ``schema_contract`` refuses them. The result's message names the changes.
            wait: Wait for another process that materializes one of the views.
            on_failure: Whether to raise an error if a view failed, after all views have ended, or
                to return the results of all views, the failed ones too.
            progress: False shows no progress, True shows it, and a function is called with each
                view's progress. None shows it on a terminal and in a notebook.

        Returns:
            A result for each view. If a view fails, the others go on.

        Raises:
            MaterializationError: A view failed. The error's ``results`` are those of all views.
            NotFoundError: A view is not applied.
            RequestError: ``due`` is passed with ``start``, ``full`` or ``accept_schema``, or no
                view has a schedule. Or the range is empty or in the future, or a view's range
                cannot be repaired.
            ConflictError: Another process is materializing a view.
        """
        from featurestore.client.materialize import MaterializeOptions, materialize

        options = (due, start, end, full, accept_schema, wait, on_failure, progress)
        return materialize(self._job(), views, MaterializeOptions(*options))

    @checked_arguments
    def maintain(
        self, views: "Selection | None" = None, *, retention: str = "7d", dry_run: bool = False
    ) -> "list[Maintenance]":
        """Join small files, and remove files and builds that no reader needs, without Spark.

        Args:
            views: Views, or services for all views that they need. None for all views and for the
                ledgers.
            retention: How long files and retired builds stay after the store no longer needs them.
            dry_run: Whether to change nothing.

        Returns:
            A result for each view and ledger. If one fails, the others go on, and its result has
            the error.

        Raises:
            NotFoundError: A view is not applied.
            RequestError: The retention is shorter than an hour.
        """
        from featurestore.jobs.maintain.maintain import maintain

        done = maintain(self._job(), views, retention=retention, dry_run=dry_run)
        return Results(done, shown.MAINTENANCE)

    @checked_arguments
    def doctor(self, views: "Selection | None" = None, *, repair: bool = False) -> "list[Finding]":
        """Return what is damaged in the store's tables, and repair it if possible, without Spark.

        Args:
            views: Views, or services for all views that they need. None for all views, the ledgers
                and the registry.
            repair: Whether to repair what can be repaired.

        Returns:
            The findings; none for a store without damage. Each has a code that docs/repair.md
            explains, and what to do.

        Raises:
            NotFoundError: A view is not applied.
            ConflictError: A view that needs a repair is being materialized.
        """
        from featurestore.jobs.doctor.doctor import examine

        return examine(self._job(), views, repair=repair)

    def due(self, views: "Selection | None" = None) -> "list[ViewSchedule]":
        """Return the state of each view that has a ``schedule``: whether it is due, and why.

        `materialize` with ``due=True`` runs those that are due. Nothing is changed here.

        Args:
            views: Views, or services for all views that they need. None for all views.

        Raises:
            NotFoundError: A view is not applied.
            RequestError: None of the views has a schedule.
        """
        from featurestore.jobs.schedule.states import due

        return Results(due(self.applied(), self.layout, self._clock(), views), shown.SCHEDULES)

    def quarantine(self, view: str) -> Quarantine:
        """Return the rows that a view's table does not have, with the reasons.

        Its method ``release`` stores rows that pass the view's expectations by now.

        Args:
            view: The view's name.

        Raises:
            NotFoundError: The view is not applied, or was never materialized.
        """
        return Quarantine(self._job(), view)

    @checked_arguments
    def refresh_latest(self, views: "Selection | None" = None) -> "dict[str, Refreshed]":
        """Bring the ``latest`` tables to now, and return what was done to each.

        Args:
            views: Views, or services for all views that they need. None for all views with a
                ``latest`` table.

        Returns:
            By view: the table's Delta ``version``, how many ``keys`` were answered, and
            ``files_written`` and ``files_kept``. Of a view without windows, only keys that have
            changed are answered; else ``reason`` says why all were.
        """
        with spark_extra("refresh_latest"):
            from featurestore.jobs.materialize.start import refresh_latest

        return refresh_latest(self._job(), views)

    @checked_arguments
    def get_latest_features(
        self, features: "Selection", rows: Any, *, at: str | datetime | None = None
    ) -> "FeatureFrame":
        """Return rows with their features as of now.

        The values are those of `get_historical_features` for the present moment.

        Args:
            features: As in `get_training_set`.
            rows: Rows with keys and without a time column, e.g. ``[{"card_id": "c1"}]``.
            at: Another moment than now, for all rows.
        """
        from featurestore.client.request import Request
        from featurestore.client.retrieve import retrieve_latest

        request = Request(f"get_latest_features({selection_text(features)})", features)
        moment = self._clock() if at is None else parse_moment_argument(request.call, "at", at)
        return self._with_spark(
            retrieve_latest(self._served(request), self._reader, request, rows, moment)
        )

    @checked_arguments
    def verify(  # noqa: PLR0913 - the request's arguments, and those of the sample
        self,
        features: "Selection",
        *,
        sample: int = 1000,
        spine: Any = None,
        leakage: bool = False,
        source: bool = False,
        seed: int = 0,
        timestamp_field: str = "event_timestamp",
        timezone: str | tzinfo | None = None,
    ) -> "Verification":
        """Return how sampled answers compare with the reference, the rules in plain Python.

        Args:
            features: As in `get_training_set`.
            sample: The number of rows to check for each view.
            spine: The rows to sample. None to sample moments at which answers change.
            leakage: Also find features that change without the rows at or after each moment.
            source: Also compute the stored rows of sampled keys again from the sources, at once,
                with Spark. It finds transforms that look at other rows, and sources whose rows
                were changed.
            seed: Another seed selects other rows.
            timestamp_field: The spine's time column.
            timezone: The zone of times without one.

        Returns:
            The differences and the leaks. Its ``ok`` is true if there are none.
        """
        from featurestore.client.reader import Reader
        from featurestore.client.request import Request
        from featurestore.client.verify.verify import Check, verify

        request = Request(
            f"verify({selection_text(features)})", features, timestamp_field, timezone
        )
        check = Check(request, int(sample), spine, leakage, int(seed))
        # The reader of all other calls compares checksums only if the project says so.
        reader = Reader(self.layout, replace(self.settings, verify_checksums=True))
        result = verify(self._served(request), reader, check)
        if not source:
            return result
        with spark_extra("verify"):
            from featurestore.client.verify.source import with_sources

        return with_sources(self._job(), result, sample, seed)

    def sql(self, text: str) -> "pa.Table":
        """Return the rows of a SELECT over Delta sources and the stored rows of views.

        Stored rows include revised and deleted events.

        Args:
            text: One SELECT in DuckDB's SQL. Each view and Delta source is a table with its name.
                It reads these tables only: no file, and no Python variable.
        """
        from featurestore.client.sql.query import query_sql

        return query_sql(self.served(), self.layout, self.settings, text, self.load)

    @checked_arguments
    def get_label_spine(
        self,
        view: str | FeatureView,
        *,
        columns: str | Sequence[str] | None = None,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        as_of: str | datetime | None = None,
    ) -> "pa.Table":
        """Return a view's events as a spine: keys, ``event_timestamp`` and fields, by time.

        Args:
            view: The view, or its name, e.g. of chargebacks.
            columns: The field or fields to return, e.g. the label. None for all.
            start: The earliest event time. None for no limit.
            end: The end of the event times, exclusive. None for no limit.
            as_of: Events are returned as they exist at this moment: the newest revision of each,
                and no deleted ones. None for now.
        """
        from featurestore.client.spines.events import EventSelection, label_spine

        name = view.name if isinstance(view, FeatureView) else view
        fields = [columns] if isinstance(columns, str) else columns
        selection = EventSelection(name, fields, start, end)
        now = self._clock() if as_of is None else as_of
        moment = parse_moment_argument(selection.call, "as_of", now)
        current = self._serving()
        if name in current.earlier:
            current.require_fields(name, fields or (), selection.call)
        return label_spine(current.manifest, self._reader, selection, moment)

    @checked_arguments
    def preview(
        self,
        view: str | FeatureView | OnDemandFeatureView,
        rows: Any,
        *,
        timezone: str | tzinfo | None = None,
    ) -> "FeatureFrame":
        """Return rows with the features of a view that need not be applied. Nothing is written.

        Spark reads and transforms the view's source. An on-demand view needs no Spark.

        Args:
            view: The definition, or its name in the definitions folder.
            rows: A few rows with a moment and the view's keys, or the on-demand view's inputs.
            timezone: The zone of times without one.
        """
        from featurestore.client.preview.dispatch import Project, declared_view, preview

        definition = declared_view(self.load(), view) if isinstance(view, str) else view
        project = Project(self.layout, self._spark)
        frame = preview(definition, rows, project, timezone)
        return self._with_spark(replace(frame, timezone=timezone))

    @checked_arguments
    def write_source(self, name: str, rows: Any) -> int:
        """Add rows to a source of the definitions folder, and return their number.

        They are appended to the Delta table of a `DeltaSource`, which is created if there is none,
        or written as a new file of a `FileSource` of Parquet files. Run `materialize` afterwards.

        Args:
            name: The source's name.
            rows: An Arrow table, a pandas or Polars DataFrame, or a list of dicts.

        Raises:
            NotFoundError: No such source is declared.
            RequestError: A column is missing, or a value does not fit. Nothing was written.
        """
        from featurestore.client.write_source import write_source

        return write_source(self.load(), self.layout, name, rows)

    @cached_property
    def _reader(self) -> "Reader":
        from featurestore.client.reader import Reader

        return Reader(self.layout, self.settings)

    def _serving(self) -> Serving:
        latest = self.registry.current(f"open project {self.settings.project!r}")
        fingerprints = self._reader.fingerprints()
        key = latest.version, latest.digest, tuple(sorted(fingerprints.items()))
        if self._served_by is None or self._served_by[0] != key:
            self._served_by = key, serving(self.registry.history(), fingerprints)
        return self._served_by[1]

    def _served(self, request: "Request") -> Manifest:
        """Return the definitions that the answer of a request follows."""
        current = self._serving()
        for name in current.require(request.features, request.call):
            # The frames between are this method, the public one and its check of arguments.
            warnings.warn(current.note(name), stacklevel=4)
        return current.manifest

    def _job(self) -> "Job":
        from featurestore.jobs.materialize.job import project_job

        definitions = {"applied": self.applied, "loaded": self.load}
        return project_job(
            self.settings, self.layout, **definitions, spark=self._spark, clock=self._clock
        )

    def _with_spark(self, frame: "FeatureFrame") -> "FeatureFrame":
        return replace(frame, _spark_session=self._spark)

    def _spark(self) -> "SparkSession":
        with spark_extra("start Spark"):
            from featurestore.engines.spark.session.session import accept, session

        if self._user_session is not None:
            return accept(self._user_session)
        state = self.settings.folder / ".featurestore"
        self._used_spark = True
        return session(self.settings.spark_conf_file, warehouse=state, user=self)
