"""New clones: `make setup` and a short test on each Python, with and without a C compiler."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engines.spark.session import test_session
from tests.packaging.interpreters import SUPPORTED, interpreter, other_interpreter
from tests.packaging.local_index import serve
from tests.packaging.project_copy import copy_project

pytestmark = pytest.mark.integration

# Without a JVM, then one that writes a Delta table; mypy sees when that one is renamed.
DELTA_TEST = test_session.test_delta_merges_deletes_and_optimizes_with_the_fetched_jars
SHORT_TESTS = (
    "tests/definitions",
    "tests/test_surface.py",
    f"tests/engines/spark/session/test_session.py::{DELTA_TEST.__name__}",
)
# What is of this machine, not of the clone. A shared cache of pip's spares a gigabyte a clone.
SHARED = ("PATH", "PYENV_ROOT", "JAVA_HOME", "LANG", "TMPDIR")


def new_clone(folder: Path) -> Path:
    """Return a new clone, in a path with a space and an umlaut."""
    return copy_project(folder / "Müllers Häuser" / "feature store")


def environment(folder: Path, python: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a user with an empty HOME, and the named Python."""
    home = folder / "home"
    home.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in SHARED or name.startswith("PIP_") or name.lower().endswith("_proxy")
    }
    return {**kept, "HOME": str(home), "PYTHON": str(python), **variables}


def make_setup(clone: Path, environ: dict[str, str]) -> str:
    """Run `make setup`, and return what it says."""
    done = subprocess.run(
        ["make", "setup"], cwd=clone, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def python_of(clone: Path, environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [clone / ".venv/bin/python", *arguments],
        cwd=clone, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def pip_cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("pip-cache"))


def test_a_new_clone_of_another_python_works_with_nothing_cached(tmp_path: Path) -> None:
    version, python = other_interpreter()
    clone = new_clone(tmp_path)
    environ = environment(tmp_path, python, PIP_CACHE_DIR=str(tmp_path / "pip"))
    with serve(tmp_path / "index") as index:
        # An extra of pytest-cov's, a package of the lock, and the tools that build.
        for name in ("coverage", "pytest", "setuptools", "hatchling"):
            index.add(name, "9999.0")

        said = make_setup(clone, environ | {"PIP_EXTRA_INDEX_URL": index.url})
        before = list(index.requests)
        again = make_setup(clone, environ | {"PIP_EXTRA_INDEX_URL": index.url})

    assert any("coverage" in request for request in before)
    [ready] = again.splitlines()
    assert ready.startswith("setup: ready")
    assert (said.splitlines()[-1], index.requests) == (ready, before)
    jars = next((tmp_path / "home/.cache/featurestore/jars").glob("spark-*-delta-*[!k]"))
    assert said.count(str(jars)) == 1
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    assert python_of(clone, environ, "-c", ask).strip() == version
    assert " passed" in python_of(clone, environ, "-m", "pytest", "-q", *SHORT_TESTS)


@pytest.mark.parametrize("compiler", [True, False], ids=["compiler", "no_compiler"])
@pytest.mark.parametrize("version", SUPPORTED)
def test_a_new_clone_works(tmp_path: Path, pip_cache: str, version: str, compiler: bool) -> None:
    if compiler and shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    clone = new_clone(tmp_path)
    variables = {"PIP_CACHE_DIR": pip_cache} | ({} if compiler else {"CC": "/nowhere/cc"})
    environ = environment(tmp_path, interpreter(version), **variables)

    said = make_setup(clone, environ)

    assert ("/nowhere/cc" in said) == (not compiler)
    assert len(list(clone.glob("featurestore/**/libloops.so"))) == compiler
    assert " passed" in python_of(clone, environ, "-m", "pytest", "-q", *SHORT_TESTS)
    assert python_of(clone, environ, "tools/check_lock.py") == ""
