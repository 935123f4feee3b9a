"""The time to build the website of a made-up registry, and to use it.

Run ``python -m benchmarks.site``. It prints the seconds of CPU, those of them that the operating
system used to create files, the peak of memory, and the number and size of the files. A file may
cost ten times as much if many were deleted from the same disk some minutes before, as by another
measurement: ``TMPDIR=/dev/shm`` shows the build alone. Then a browser measures what pages load,
and how long a key of the search, a click in lineage and a click on a facet take.

The targets are at most 10 s of CPU for 200 views with 20 features each; for 2,000 with 50 at most
120 s and 1 GB, 30 ms for a key and 100 ms for a click. The first page loads at most 100 KB, each
other page at most 100 KB more.
"""

import argparse
import resource
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import featurestore as fs
from benchmarks.site_browser import measured_in_browser
from featurestore.cli.output import print_table
from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.origin import Origin, set_origin
from featurestore.registry.plan import plan
from featurestore.site.build import build_site

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORDS = ("amount", "price", "visits", "returns", "clicks", "balance", "distance", "errors")
FUNCTIONS = ("sum", "mean", "max", "stddev", "count")
AREA = 40
"""The views of one domain."""
Defined = TypeVar("Defined", bound=Definition)
TEAMS = ("risk", "growth", "care", "pricing")


def main() -> None:
    """Build the site of a made-up registry, and print what it took and how it is used."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.site", description=__doc__)
    parser.add_argument("--views", type=int, default=200, help="number of views")
    parser.add_argument("--features", type=int, default=20, help="features of each view")
    parser.add_argument("--no-browser", action="store_true", help="only build it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = made_up_store(Path(folder), args.views, args.features)
        before = resource.getrusage(resource.RUSAGE_SELF)
        built = build_site(store, Path(folder) / "site", NOW)
        after = resource.getrusage(resource.RUSAGE_SELF)
        python, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
        files = [path for path in built.folder.rglob("*") if path.is_file()]
        print_table(
            ["CPU seconds", "of the system", "peak MB", "pages", "files", "MB"],
            [
                [
                    round(python + system, 2),
                    round(system, 2),
                    after.ru_maxrss // 1024,
                    built.pages,
                    len(files),
                    round(sum(path.stat().st_size for path in files) / 1e6, 1),
                ]
            ],
        )
        if not args.no_browser:
            sizes, times = measured_in_browser(built.folder)
            print_table(["page", "KB gzipped, with its scripts"], sizes)
            print_table(["in the browser, ms", "median", "longest"], times)


def made_up_store(folder: Path, views: int, features: int) -> fs.FeatureStore:
    """Return a store with made-up definitions, of which nothing is materialized."""
    (folder / "featurestore.toml").write_text('project = "made_up"\n')
    (folder / "feature_defs").mkdir()
    store = fs.FeatureStore(folder)
    store.registry.apply(plan(None, Manifest.of(definitions(views, features))))
    return store


def definitions(views: int, features: int) -> list[Definition]:
    """Return made-up definitions: a source for four views, a service for each two views."""
    customer = fs.Entity("customer", join_keys=(fs.Field("customer_id", fs.Int64),))
    made: list[Definition] = [customer]
    listed = []
    for number in range(views):
        if number % 4 == 0:
            source = fs.DeltaSource(
                f"source_{number}",
                path=f"data/{number}",
                timestamp_field="at",
                available_timestamp_field="loaded_at",
            )
            made.append(in_area(number, source))
        listed.append(in_area(number, view(number, features, customer, source)))
    pairs = zip(listed[::2], listed[1::2], strict=False)
    services = [
        in_area(
            2 * number,
            fs.FeatureService(f"model_{number}", features=(one.with_prefix("a_"), other)),
        )
        for number, (one, other) in enumerate(pairs)
    ]
    return [*made, *listed, *services]


def in_area(number: int, definition: Defined) -> Defined:
    """Return the definition of a view's number, moved to a file of one of the areas."""
    set_origin(definition, Origin(f"feature_defs/area_{number // AREA}/views.py", number + 1))
    return definition


def view(
    number: int, features: int, customer: fs.Entity, source: fs.DeltaSource
) -> fs.FeatureView:
    """Return a view with window features."""
    windows = tuple(f"{days + 1}d" for days in range(-(-features // len(FUNCTIONS))))
    column = f"{WORDS[number % len(WORDS)]}_{number}"
    return fs.FeatureView(
        f"{WORDS[number % len(WORDS)]}_activity_{number}",
        entities=(customer,),
        source=source,
        schema=(fs.Field(column, fs.Float64, description=f"The {column} of a customer"),),
        aggregations=tuple(fs.Aggregation(column, name, windows=windows) for name in FUNCTIONS),
        description=f"Activity of customers in area {number}, by event",
        owner=f"{TEAMS[number % len(TEAMS)]}@example.com",
        tags=(TEAMS[number % len(TEAMS)], "daily"),
    )


if __name__ == "__main__":
    main()
