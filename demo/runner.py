"""The demo from end to end: sources, plan, apply, materialize, training sets, models, website.

The first run builds the tables, and then stores one more day of payments, so that there is
something to compare. Each later run adds one day, and repeats only the work that depends on it.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.markup import escape
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no types

import featurestore as fs
from demo import domains
from demo.ecommerce import data as ecommerce_data
from demo.fraud import data as fraud_data
from demo.fraud.simulator import Simulation, Size, simulate
from demo.healthcare import data as healthcare_data
from demo.report import Grid, Report, print_grid, print_report
from demo.saved_reports import digest_of, read_report, save_report
from demo.sources import Written
from featurestore.client.display.progress import progress_on_stderr
from featurestore.site.build import build_site
from featurestore.times import system_clock

DOMAINS = {
    "healthcare": (domains.healthcare, "diabetes_early_v1"),
    "ecommerce": (domains.ecommerce, "next_rating_v1"),
    "fraud": (domains.fraud, "fraud_v1"),
}
NEXT = """
[bold]Next[/]
  featurestore status                              the tables, and how new they are
  featurestore latest movie_page_v1 movie_id=356   newest values, without a JVM
  featurestore plan                                after a change in feature_defs/fraud/views.py
  make demo                                        again, with one more day of payments

[bold]The features as a website[/]: open {index}
"""


@dataclass(frozen=True)
class Data:
    """The raw data of the sources. Tests use a part of it.

    Args:
        cohort: The NAFLD cohort.
        ratings: MovieLens.
        simulation: The simulated payments.
        first_load: The number of payments in the first run.
    """

    cohort: healthcare_data.Cohort = field(default_factory=healthcare_data.load_cohort)
    ratings: pd.DataFrame = field(default_factory=ecommerce_data.load_ratings)
    simulation: Simulation = field(default_factory=lambda: simulate(Size()))
    first_load: int = fraud_data.FIRST_LOAD


def run(
    project: Path, data: Data, console: Console, chosen: Sequence[str] = tuple(DOMAINS)
) -> list[Report]:
    """Run the demo in a project's folder and return the results of each domain.

    Args:
        project: The folder with ``featurestore.toml``.
        data: The raw data of the sources.
        console: Where to print.
        chosen: The names of the `DOMAINS` to run.

    Raises:
        RuntimeError: A view could not be materialized.
    """
    is_first = not (project / fraud_data.TRANSACTIONS).exists()
    inputs = _load(project, data, console)
    store = fs.FeatureStore(project)
    _apply(store, console)
    _materialize(store, console, chosen)
    if is_first and "fraud" in chosen:
        inputs = _load(project, data, console)
        _materialize(store, console, ["fraud"])
    reports = [_report(store, inputs, name, console) for name in chosen]
    with _timed(console, "the website of the features"):
        site = build_site(store, project / "site", system_clock())
    console.print(NEXT.format(index=escape(str(site.index))), soft_wrap=True)
    return reports


def main(arguments: Sequence[str] = ()) -> None:
    """Run the demo in the current folder and print its tables to stdout.

    Args:
        arguments: The names of domains. All domains if there is none.
    """
    unknown = set(arguments) - set(DOMAINS)
    if unknown:
        raise SystemExit(
            f"no such domain: {', '.join(sorted(unknown))}. Known: {', '.join(DOMAINS)}"
        )
    begun = time.monotonic()
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=140)
    run(Path.cwd(), Data(), console, tuple(arguments) or tuple(DOMAINS))
    console.print(f"[dim]{time.monotonic() - begun:.0f} seconds in total[/]")


def _load(project: Path, data: Data, console: Console) -> domains.Inputs:
    with _timed(console, "sources under data/"):
        written, inputs = _build_sources(project, data)
    _print_written(console, written)
    return inputs


def _build_sources(project: Path, data: Data) -> tuple[list[Written], domains.Inputs]:
    loaded = fraud_data.load_next(project, data.simulation, data.first_load)
    written = [
        *healthcare_data.build_sources(project, data.cohort),
        *ecommerce_data.build_sources(project, data.ratings),
        *loaded.written,
    ]
    return written, domains.Inputs(project, data.cohort, data.ratings, loaded.now)


def _print_written(console: Console, written: list[Written]) -> None:
    rows = [[source.path, f"{source.rows:,}"] for source in written if source.rows]
    if rows:
        print_grid(console, Grid("", ["written", "rows"], rows))


def _apply(store: fs.FeatureStore, console: Console) -> None:
    with _timed(console, "plan and apply"):
        plan = store.plan()
        version = store.apply(plan)
    console.print(f"  registry version {version.version}")


def _materialize(store: fs.FeatureStore, console: Console, chosen: Sequence[str]) -> None:
    # Every definition is tagged with its domain.
    views = [view.name for view in store.applied().views if set(view.tags) & set(chosen)]
    with _timed(console, "materialize, by Spark"), progress_on_stderr() as progress:
        results = store.materialize(views, progress=progress, on_failure="return")
    busy = [result for result in results if result.status != "nothing"]
    rows = [
        [result.view, result.kind, result.status, f"{result.rows_out:,}", f"{result.seconds:.1f}"]
        for result in busy
    ]
    if rows:
        print_grid(console, Grid("", ["view", "kind", "status", "rows", "seconds"], rows))
    if len(busy) < len(results):
        console.print(f"  nothing new for {len(results) - len(busy)} of {len(results)} views")
    failed = [
        f"{result.view}: {result.message}" for result in results if result.status == "failed"
    ]
    if failed:
        raise RuntimeError("; ".join(failed))


def _report(
    store: fs.FeatureStore, inputs: domains.Inputs, domain: str, console: Console
) -> Report:
    work, service = DOMAINS[domain]
    digest = digest_of(store, service)
    saved = read_report(inputs.project, domain, digest)
    if saved is not None:
        print_report(console, saved, is_saved=True)
        return saved
    # PERF: scikit-learn's boosting spins while it waits for its threads. With Spark on a core, two
    # threads took 70 s for the work that one thread does in 7 s.
    one_thread = threadpool_limits(limits=1, user_api="openmp")
    with _timed(console, f"training set and models: {domain}"), one_thread:
        report = work(inputs)
    save_report(inputs.project, report, digest)
    print_report(console, report, is_saved=False)
    return report


@contextmanager
def _timed(console: Console, step: str) -> Iterator[None]:
    begun = time.monotonic()
    console.print(f"\n[bold cyan]{step}[/]")
    yield
    console.print(f"  [dim]{time.monotonic() - begun:.1f} s[/]")
