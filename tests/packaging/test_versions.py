"""A short suite with the newest and with the oldest version of every dependency but Spark.

New releases change what tests with locked versions do not see: the functions of DuckDB's catalog,
the types of pandas' columns.
"""

import shutil
from pathlib import Path

import pytest

from tests.packaging.environments import make_environment, uv
from tests.packaging.interpreters import OWN, interpreter
from tests.packaging.project_copy import ROOT

EXTRAS = ("pandas", "polars", "duckdb", "sklearn")
# What depends on the releases of other libraries: SQL, spines and frames of each kind, tables, and
# what the command line prints.
SUITE = (
    *("engines/on_demand", "client/sql", "client/spines", "client/frame", "store/delta"),
    *("cli/test_check.py", "cli/test_output.py", "cli/test_rows.py", "cli/test_spine.py"),
)
SETTINGS = """\
[pytest]
addopts = --import-mode=importlib
pythonpath = .
markers =
    spark
    slow
"""


@pytest.mark.integration
@pytest.mark.parametrize("resolution", ["highest", "lowest-direct"])
def test_the_short_suite_passes_with_both_ends_of_every_range(
    wheel: Path, tmp_path: Path, resolution: str
) -> None:
    versions = ["--resolution", resolution, "-r", str(ROOT / "pyproject.toml")]
    for extra in EXTRAS:
        versions += ["--extra", extra]
    environment = make_environment(
        tmp_path / "env", interpreter(OWN), *versions, "--only-binary", ":all:"
    )
    tools = ["pytest>=8.4", "hypothesis>=6.150", "packaging>=24"]
    python = ["--python", str(environment.folder)]
    uv("pip", "install", "-q", *python, "--resolution", "highest", *tools)
    uv("pip", "install", "-q", *python, "--no-deps", str(wheel))
    # Only the tests, so that they find the installed wheel.
    shutil.copytree(ROOT / "tests", tmp_path / "suite" / "tests")
    (tmp_path / "suite" / "pytest.ini").write_text(SETTINGS)

    environment.output(
        *("python", "-m", "pytest", "-q", "-m", "not spark and not slow"),
        *(f"tests/{part}" for part in SUITE),
        cwd=tmp_path / "suite",
    )

    assert "pyspark" not in environment.packages()
