"""The real Feast: its repositories are read and translated, and its training sets come back."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import featurestore as fs
from featurestore.integrations.feast.read import read_repository
from tests.integrations.feast import compare
from tests.integrations.feast.rows import spine, write_rows
from tests.packaging.environments import Environment, make_environment
from tests.packaging.interpreters import OWN, interpreter

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PROGRAM = Path(sys.executable).with_name("featurestore")
HERE = Path(compare.__file__).parent
PRICING = ("conv_rate", "device", "price", "fare", "is_long", "log_rate")
STATS = {"conv_rate": "conv_rate", "trips-today": "trips_today"}
# Feast's training set: ours, and our names of its features.
TRAINING_SETS: dict[str, tuple[str | list[str], dict[str, str]]] = {
    "pricing_v1": ("pricing_v1", {name: name for name in PRICING}),
    "driver_stats": (
        ["driver_stats:conv_rate", "driver_stats:trips_today", "driver_stats:device"],
        {**STATS, "device": "device"},
    ),
    "driver_forever": (["driver_forever:conv_rate", "driver_forever:trips_today"], STATS),
}


@pytest.fixture(scope="session")
def feast(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("feast")
    return make_environment(folder / "env", interpreter(OWN), "feast[duckdb]>=0.67,<0.68")


@pytest.fixture
def rides(tmp_path: Path) -> Path:
    """The repository of the tests, with its rows."""
    folder = tmp_path / "rides"
    shutil.copytree(HERE / "repository", folder)
    write_rows(folder)
    return folder


@pytest.fixture
def imported(feast: Environment, tmp_path: Path) -> Callable[[Path], dict[str, object]]:
    """Import a repository to a new project, check the definitions, and return the report."""

    def call(repository: Path) -> dict[str, object]:
        project = tmp_path / "project"
        featurestore(tmp_path, "init", "--empty", str(project))
        (project / "feature_defs" / "definitions.py").unlink()
        python = feast.folder / "bin" / "python"
        printed = featurestore(
            project, "import", "feast", repository, "--python", python, "--json"
        )
        featurestore(project, "validate")
        report: dict[str, object] = json.loads(printed)["import"]
        return report

    return call


def featurestore(folder: Path, *arguments: str | Path) -> str:
    done = subprocess.run(
        [PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_recorded_feast_repository_is_that_of_the_package(
    feast: Environment, rides: Path
) -> None:
    found = read_repository(rides, feast.folder / "bin" / "python")

    recorded = json.loads((HERE / "recorded.json").read_text("utf-8"))
    assert {**found, "feast": ""} == {**recorded, "feast": ""}


@pytest.mark.parametrize("template", ["local", "spark", "pytorch_nlp", "snowflake"])
def test_a_feast_template_becomes_valid_definitions(
    template: str,
    feast: Environment,
    tmp_path: Path,
    imported: Callable[[Path], dict[str, object]],
) -> None:
    source = "import pathlib, feast; print(pathlib.Path(feast.__file__).parent / 'templates')"
    templates = Path(feast.output("python", "-c", source).splitlines()[-1])
    repository = tmp_path / "repository"
    shutil.copytree(templates / template / "feature_repo", repository)
    write_rows(repository)

    report = imported(repository)

    notes = report["notes"]
    assert isinstance(notes, list)
    assert all(note["reason"] for note in notes if note["kind"] != "translated")


# The store for dask drops rows of the spine (feast-dev/feast#6787), and of two rows of one event
# time it does not always take the one that was created last. So only prices are compared there.
@pytest.mark.parametrize(
    ("offline_store", "compared"),
    [("duckdb", TRAINING_SETS), ("dask", {"pricing_v1": ("pricing_v1", {"price": "price"})})],
)
def test_feast_training_sets_come_back(
    offline_store: str,
    compared: dict[str, tuple[str | list[str], dict[str, str]]],
    feast: Environment,
    rides: Path,
    imported: Callable[[Path], dict[str, object]],
    tmp_path: Path,
) -> None:
    (rides / "warehouse.py").unlink()  # it needs an account
    settings = rides / "feature_store.yaml"
    settings.write_text(settings.read_text("utf-8").replace("duckdb", offline_store), "utf-8")
    pq.write_table(spine(), tmp_path / "spine.parquet")
    feast.output("feast", "apply", "--skip-source-validation", cwd=rides)
    program = HERE / "feast_answers.py"
    feast.output("python", program, rides, tmp_path / "spine.parquet", tmp_path, cwd=rides)

    imported(rides)
    featurestore(tmp_path / "project", "apply", "--yes")
    featurestore(
        tmp_path / "project", "materialize", "driver_stats", "driver_forever", "zone_prices"
    )

    with fs.FeatureStore(tmp_path / "project") as store:
        for name, (features, columns) in compared.items():
            theirs = pq.read_table(tmp_path / f"{name}.parquet")
            ours = store.get_historical_features(features, spine()).to_arrow()
            assert ours.num_rows == spine().num_rows
            assert compare.differences(theirs, ours, columns) == []
            assert theirs.num_rows == ours.num_rows or offline_store == "dask"
