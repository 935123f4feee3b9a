"""The verbs that start Spark: materialize and demo."""

import runpy
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from featurestore.cli.continuous import (
    LATEST_EVERY,
    TRIGGER,
    Continuous,
    LatestEvery,
    Total,
    Trigger,
    check_alone,
    print_totals,
    require_continuous,
    run_continuously,
)
from featurestore.cli.interrupt import interruptible
from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import duration_of, print_json, print_table, say
from featurestore.cli.read import names_of
from featurestore.errors import (
    ConflictError,
    DataQualityError,
    ProjectError,
    RequestError,
    nearest,
)

if TYPE_CHECKING:
    from featurestore.client.feature_store import FeatureStore
    from featurestore.jobs.materialize.job import RunResult
    from featurestore.jobs.repair.plan import RepairPlan
    from featurestore.jobs.schedule.due import ViewSchedule

SOME_FAILED = 1
_BEGAN = time.time()  # of the program, which loads its verbs first

Views = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="VIEWS",
        help="Views, or services for all views that they need.",
        show_default="all",
    ),
]
DEMOS = ("", "stream")
DemoName = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="stream: payments that arrive, and a model that scores each one.",
        show_default="the three domains",
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Build the tables again from all source rows.")]
Start = Annotated[
    str | None,
    typer.Option(
        help="In a view's first build, leave out older events, e.g. 2026-01-31 (midnight in UTC). "
        "With --end: the first moment of a range whose rows are computed again."
    ),
]
End = Annotated[
    str | None,
    typer.Option(
        help="With --start: compute the rows from START until before END again, and replace them."
    ),
]
Latest = Annotated[
    bool, typer.Option("--latest", help="Only write the `latest` tables again, as of now.")
]
AcceptSchema = Annotated[
    bool,
    typer.Option(
        "--accept-schema",
        help="Take changed columns of sources that a view's schema_contract refuses.",
    ),
]
Due = Annotated[
    bool,
    typer.Option("--due", help="Only run views that are due by their schedule, with retries."),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="With --due: only show what is due, and why. With --start and --end: only show which "
        "rows and files would be replaced.",
    ),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for another process that materializes a view.")
]


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    for verb in (materialize, demo):
        app.command()(verb)


def materialize(
    views: Views = None,
    full: Full = False,
    start: Start = None,
    end: End = None,
    latest: Latest = False,
    due: Due = False,
    dry_run: DryRun = False,
    accept_schema: AcceptSchema = False,
    wait: Wait = False,
    continuous: Continuous = False,
    trigger: Trigger = None,
    latest_every: LatestEvery = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Bring feature tables up to date with their sources."""
    _check_options(due=due, dry_run=dry_run, latest=latest, is_range=end is not None)
    store, names = open_store(project), names_of(views)
    if continuous:
        check_alone(full, start, end, latest, due, dry_run, accept_schema, wait)
        paces = (trigger or TRIGGER, latest_every or LATEST_EVERY)
        return _go_on(store, names, paces, as_json)
    require_continuous({"trigger": trigger, "latest-every": latest_every})
    if latest:
        return _refresh(store, names, as_json)
    if dry_run:
        return _show_dry_run(store, names, (due, start, end, full, accept_schema), as_json)
    options = {"due": due, "start": start, "end": end, "full": full}
    return _run_once(
        store, names, {**options, "accept_schema": accept_schema, "wait": wait}, as_json
    )


def _run_once(
    store: "FeatureStore", views: list[str] | None, options: dict[str, Any], as_json: bool
) -> None:
    """Materialize once, with the options of the verb, and print the result of each view."""
    from featurestore.client.display.progress import progress_on_stderr

    with interruptible(), progress_on_stderr() as progress:
        results = store.materialize(views, **options, progress=progress, on_failure="return")
    if options["due"] and not results:
        _say_next(store.due(views))
    if results or not options["due"] or as_json:
        print_runs(results, as_json)
    _exit_with_failures(store, results, say_them=not progress.prints_messages)


def _go_on(
    store: "FeatureStore", views: list[str] | None, paces: tuple[str, str], as_json: bool
) -> None:
    """Materialize continuously, and print what was stored of each view, also after an error."""
    totals: dict[str, Total] = {}
    try:
        results = run_continuously(store, views, *paces, totals)
    finally:
        if totals and not as_json:
            print_totals(totals)
    if as_json:
        print_runs(results, as_json)
    _exit_with_failures(store, results, say_them=False)


def _exit_with_failures(
    store: "FeatureStore", results: "list[RunResult]", *, say_them: bool
) -> None:
    """End the program with the code of what went wrong; return if nothing did."""
    if failed := [result for result in results if result.status == "failed"]:
        _say_failures(failed if say_them else [])
        _say_log(store)
        raise typer.Exit(exit_code(failed))
    if any(isinstance(result.error, ConflictError) for result in results):
        raise typer.Exit(ConflictError.exit_code)


def demo(name: DemoName = "", project: Project = Path()) -> None:
    """Run the repository's examples, from raw data to models."""
    if name not in DEMOS:
        raise RequestError("featurestore demo", f"there is no demo {name!r}", nearest(name, DEMOS))
    script = project / "demo" / "__main__.py"
    if not script.is_file():
        raise ProjectError(
            "featurestore demo",
            f"there is no demo in {project.absolute()}",
            "Clone the featurestore repository and run it there: `make demo`. "
            "For a small project of your own: `featurestore init my_project`.",
        )
    sys.path.insert(0, str(project.absolute()))
    module = f"demo.{name}" if name else "demo"
    if name:  # the program's own arguments are not those of the module
        sys.argv = sys.argv[:1]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def print_runs(results: "list[RunResult]", as_json: bool) -> None:
    """Print the result of each view, and warn on stderr of nulls in ``unique_by``.

    Args:
        results: One for each view.
        as_json: Whether to print JSON instead of a table.
    """
    from featurestore.client.display.status_text import status_text

    for result in results:
        if result.null_unique_rows:
            say(
                "[yellow]{}[/]: {} stored rows have a null in unique_by. Of the rows of one key "
                "with such a null, only the newest counts.",
                result.view,
                result.null_unique_rows,
            )
    if as_json:
        print_json("runs", results)
        return
    counts = ("rows in", "rows out", "quarantined", "seconds")
    columns = ["view", "kind", "status", "version", *counts]
    rows = [
        [
            *(each.view, each.kind, status_text(each.status), each.version),
            *(each.rows_in, each.rows_out, each.rows_quarantined, round(each.seconds, 1)),
        ]
        for each in results
    ]
    print_table(columns, rows)


def print_schedules(states: "list[ViewSchedule]", as_json: bool) -> None:
    """Print the state of each view's schedule.

    Args:
        states: One for each view that has a schedule.
        as_json: Whether to print JSON instead of a table.
    """
    if as_json:
        rows = [asdict(state) | {"is_due": state.is_due} for state in states]
        print_json("due", rows)
        return
    columns = ["view", "schedule", "due", "since", "late", "next"]
    print_table(
        columns,
        [
            [
                *(each.view, each.schedule, each.reason, each.due_since),
                *(duration_of(each.late_seconds), each.next_tick),
            ]
            for each in states
        ],
    )


def print_repairs(plans: "list[RepairPlan]", as_json: bool) -> None:
    """Print what the repair of a range would replace.

    Args:
        plans: One for each view.
        as_json: Whether to print JSON instead of a table.
    """
    if as_json:
        print_json("repairs", plans)
        return
    columns = ["view", "rows", "other rows", "files", "bytes", "source", "builds again"]
    print_table(
        columns,
        [
            [
                *(each.view, each.rows, each.rows_kept, each.files, each.bytes),
                {True: "changed", False: "unchanged", None: "not known"}[each.source_changed],
                ", ".join(each.rebuilt),
            ]
            for each in plans
        ],
    )


def _say_next(states: "list[ViewSchedule]") -> None:
    """Print that nothing is due, and what is due next; for the log of a scheduler."""
    first = min(states, key=lambda state: state.next_tick)
    moment = f"{first.next_tick:%Y-%m-%d %H:%MZ}"
    say("nothing is due; next: {} at {}", first.view, moment)


def _check_options(*, due: bool, dry_run: bool, latest: bool, is_range: bool) -> None:
    if dry_run and not (due or is_range):
        raise RequestError(
            "materialize --dry-run",
            "--due is missing",
            "Add --due: it decides what would run. Or --start and --end: the range to repair.",
        )
    if latest and is_range:
        raise RequestError(
            "materialize --latest",
            "it is called with --end too",
            "Leave one of them out: the repair of a range writes the latest tables too.",
        )
    if due and latest:
        raise RequestError(
            "materialize --due",
            "it is called with --latest too",
            "Leave one of them out: runs write the latest tables too.",
        )


def exit_code(failed: "list[RunResult]") -> int:
    """Return the exit code of a materialization whose views failed.

    Args:
        failed: The results of these views.

    Example:
        >>> exit_code([])
        1
    """
    codes = {result.error.exit_code for result in failed if result.error is not None}
    return DataQualityError.exit_code if codes == {DataQualityError.exit_code} else SOME_FAILED


def _say_failures(failed: "list[RunResult]") -> None:
    """Print each cause once, with all views that failed because of it."""
    from featurestore.client.display.status_text import cause_of

    views: dict[str, list[RunResult]] = {}
    for result in failed:
        views.setdefault(cause_of(result.view, result.message), []).append(result)
    for results in views.values():
        names = ", ".join(result.view for result in results)
        say("[red]{} failed[/]: {}", names, results[0].message)


def _say_log(store: "FeatureStore") -> None:
    """Print where Spark's own output is, if Spark ran: a failure's cause may be in it."""
    log = store.settings.folder / ".featurestore" / "spark.log"
    if log.is_file() and log.stat().st_mtime >= _BEGAN:
        say("[dim]Spark's log: {}[/]", log)


def _show_dry_run(
    store: "FeatureStore",
    views: list[str] | None,
    chosen: tuple[bool, str | None, str | None, bool, bool],
    as_json: bool,
) -> None:
    """Print what would be done: by the schedules, or to the rows of a range."""
    from featurestore.client.materialize import (
        MaterializeOptions,
        repair_plans,
        require_compatible,
    )

    options = MaterializeOptions(*chosen)
    require_compatible(options)  # before anything is shown that the call would not do
    if options.end is None:
        print_schedules(store.due(views), as_json)
    else:
        plans = repair_plans(store._job(), views, start=options.start, end=options.end)
        print_repairs(plans, as_json)


def _refresh(store: "FeatureStore", views: list[str] | None, as_json: bool) -> None:
    with interruptible():
        done = store.refresh_latest(views)
    if as_json:
        print_json("latest_tables", done)
        return
    columns = ["view", "latest version", "keys", "files written", "files kept"]
    names = ("version", "keys", "files_written", "files_kept")
    rows = [[view, *(getattr(each, name) for name in names)] for view, each in done.items()]
    print_table(columns, rows)
