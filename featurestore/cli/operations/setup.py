"""The verb that prepares this machine for Spark: setup."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.output import say
from featurestore.cli.template import write_settings
from featurestore.optional import spark_extra

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECONDS = 600
_TOLD_SECONDS = 15
_FAILED = 1
# Java writes the archive at its end, which `close` waits for.
_RUN = """
import datetime, sys
import featurestore
store = featurestore.FeatureStore(sys.argv[1], env="")
store.apply(store.plan())
for hour in range(2):
    moment = datetime.datetime(2026, 1, 1, hour, tzinfo=datetime.UTC)
    row = {"card_id": "c1", "amount": 1.5, "event_timestamp": moment}
    store.write_source("payments", [row])
    store.write_source("refunds", [row])
    store.materialize()
store.close()
"""
# Both kinds of sources, a transform, a derived view and latest tables: the classes of all runs.
_DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.String),))
payments = fs.DeltaSource("payments", path="data/payments", timestamp_field="event_timestamp")
refunds = fs.FileSource(
    "refunds", path="data/refunds", format="parquet", timestamp_field="event_timestamp"
)
schema = (fs.Field("amount", fs.Float64),)
activity = fs.FeatureView(
    "activity", entities=(card,), source=payments, schema=schema,
    transform="SELECT card_id, event_timestamp, amount * 2 AS amount FROM {source}",
    aggregations=(fs.Aggregation("amount", "sum", windows=("7d",)),),
)
returned = fs.FeatureView("returned", entities=(card,), source=refunds, schema=schema)
"""


def add_verbs(app: typer.Typer) -> None:
    """Add this verb to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command()(setup)


def setup(
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove the class-data archives instead.")
    ] = False,
    packages: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="NAME", help="Also fetch the jars for NAME: kafka, s3."),
    ] = None,
) -> None:
    """Fetch what Spark needs, and make it start faster.

    Both are kept in the cache folder. Nothing else depends on the archive: without it, Spark
    starts as before.
    """
    with spark_extra("featurestore setup"):
        from featurestore.engines.spark.session import archive, jars, java

    if remove:
        say("removed {} archives", archive.remove_archives())
        return
    for name in packages or ():
        jars.package_jars(name)
    target = archive.archive_file(java.find_java(), jars.session_jars())
    if archive.is_whole(target):
        say("[green]ready[/]: the class-data archive is {}", target)
        return
    if problem := make_archive(target):
        say("[yellow]Spark works, but starts as slowly as before[/]: {}", problem)
        raise typer.Exit(_FAILED)
    size = round(target.stat().st_size / 1e6)
    say("[green]ready[/]: made the class-data archive, {} ({} MB)", target, size)


def make_archive(target: Path) -> str:
    """Make the archive by materializing a small project; return why it cannot be made, or ``""``.

    Args:
        target: The place of the archive.
    """
    from featurestore.engines.spark.session.archive import is_whole, making_archive
    from featurestore.engines.spark.session.session import read_settings

    say("making Java's class-data archive (a minute or two, only this once)")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary, "project")
        write_settings(folder)
        (folder / "feature_defs").mkdir(parents=True, exist_ok=True)
        (folder / "feature_defs" / "definitions.py").write_text(_DEFINITIONS, "utf-8")
        file = folder / "spark-conf" / "local.conf"
        settings = making_archive(read_settings(file), target)
        file.write_text("\n".join(f"{name} {value}" for name, value in settings.items()), "utf-8")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            done = _run([sys.executable, "-c", _RUN, str(folder)])
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the run failed"
    return "" if is_whole(target) else "Java did not write the archive"


def _run(command: "Sequence[str]") -> "subprocess.CompletedProcess[str]":
    """Run a program, and say every few seconds that it still runs."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            for seconds in range(0, _SECONDS, _TOLD_SECONDS):
                if seconds:
                    say("  {} s", seconds)
                with suppress(subprocess.TimeoutExpired):
                    output, errors = process.communicate(timeout=_TOLD_SECONDS)
                    return subprocess.CompletedProcess(command, process.returncode, output, errors)
            raise subprocess.TimeoutExpired(command, _SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
