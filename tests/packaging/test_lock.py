"""The set-up installs what the lock says: a local index offers newer releases, in a real .venv."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.interpreters import OWN, SUPPORTED, interpreter, other_interpreter
from tests.packaging.local_index import LocalIndex, serve
from tests.packaging.project_copy import ROOT

# A .venv of its own takes seconds for each; `make test` runs those that share one.
slow, integration = pytest.mark.slow, pytest.mark.integration

# Builds an editable wheel without any tool: the project stands for ours.
BACKEND = """\
from pathlib import Path
from zipfile import ZipFile


def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "featurestore-0.1.0-py3-none-any.whl"
    info = "featurestore-0.1.0.dist-info"
    with ZipFile(Path(folder) / name, "w") as wheel:
        wheel.writestr("featurestore.pth", str(Path.cwd()))
        fields = ("Metadata-Version: 2.1", "Name: featurestore", "Version: 0.1.0")
        wheel.writestr(f"{info}/METADATA", "\\n".join([*fields, ""]))
        tags = ("Wheel-Version: 1.0", "Root-Is-Purelib: true", "Tag: py3-none-any")
        wheel.writestr(f"{info}/WHEEL", "\\n".join([*tags, ""]))
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "featurestore"
version = "0.1.0"
"""
PINNED = {"alpha": "1.0", "beta": "1.0", "gamma": "1.0", "setuptools": "80.0"}
LOCKED = {**PINNED, "featurestore": "0.1.0"}
# Each of them would break the set-up, or change where it installs.
UNHELPFUL = {
    "PIP_CONSTRAINT": "/nowhere/constraints.txt",
    "PIP_PRE": "1",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "PIP_TARGET": "/nowhere/target",
    "PIP_UPGRADE": "1",
    "PIP_USER": "1",
    "PYTHONUSERBASE": "/nowhere/user",
}


@dataclass
class Project:
    """A small project with this repository's set-up tools, and the index that it installs from."""

    folder: Path
    index: LocalIndex
    lines: tuple[str, ...]

    def set_up(self, python: Path | None = None, **variables: str) -> subprocess.CompletedProcess:
        """Run the set-up, as `make setup` does; without a Python, with the one that is there."""
        environ = {name: value for name, value in os.environ.items() if name[:4] != "PIP_"}
        environ |= {"PIP_INDEX_URL": self.index.url} if self.index.url else {}
        environ |= variables
        if python is not None:
            environ["PYTHON"] = str(python)
            self.lock(python)
        return subprocess.run(
            [self.folder / "tools/make_venv.sh"],
            env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def lock(self, python: Path) -> None:
        """Write the lock, with the pip that the Python brings (which is not fetched then)."""
        ask = [python, "-c", "import ensurepip; print(ensurepip.version())"]
        pip = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
        line = f"pip=={pip} \\\n    --hash=sha256:{'0' * 64}\n"
        (self.folder / "requirements-dev.lock").write_text("".join([*self.lines, line]))

    def python(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.folder / ".venv/bin/python", *arguments],
            cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def pip(self, *arguments: str) -> None:
        done = self.python("-m", "pip", "install", "--index-url", self.index.url, *arguments)
        assert done.returncode == 0, done.stderr

    def installed(self) -> dict[str, str]:
        """Return the version of each package in .venv but pip."""
        program = (
            "from importlib.metadata import distributions\n"
            "for package in distributions(): print(package.metadata['Name'], package.version)"
        )
        lines = self.python("-c", program).stdout.splitlines()
        versions = dict(line.split() for line in lines)
        return {name: version for name, version in versions.items() if name != "pip"}


@contextmanager
def new_project(tmp_path: Path) -> Iterator[Project]:
    """Serve the index, and yield the project before its set-up."""
    folder = tmp_path / "ein Häuschen"
    shutil.copytree(ROOT / "tools", folder / "tools")
    for name in ("featurestore/engines/kernel/native/loops.c", "featurestore/__init__.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "backend.py").write_text(BACKEND)
    with serve(tmp_path / "index") as index:
        lines = (
            index.add("alpha", "1.0", extras={"toml": "beta>=1.0"}),
            index.add("beta", "1.0"),
            index.add("gamma", "1.0", "alpha[toml]>=1.0"),
            index.add("setuptools", "80.0"),
        )
        index.add("alpha", "1.1", extras={"toml": "beta>=1.1"})
        index.add("beta", "1.1")
        index.add("gamma", "1.1", "alpha[toml]>=1.1")
        index.add("delta", "1.0")
        index.add("setuptools", "99.0")
        yield Project(folder, index, lines)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Yield a project before its set-up."""
    with new_project(tmp_path) as project:
        yield project


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Yield a project after its set-up; each test leaves it complete."""
    with new_project(tmp_path_factory.mktemp("shared")) as project:
        done = project.set_up(interpreter(OWN), **UNHELPFUL)
        assert done.returncode == 0, done.stderr
        yield project


def assert_locked(project: Project) -> None:
    """Check that the locked releases are installed, and no other was fetched."""
    assert project.installed() == LOCKED
    fetched = {path.rpartition("/")[2] for path in project.index.requests if ".whl" in path}
    assert fetched == {f"{name}-{pin}-py3-none-any.whl" for name, pin in PINNED.items()}


@slow
def test_newer_releases_and_settings_of_pip_change_nothing(shared: Project) -> None:
    assert_locked(shared)


@integration
@pytest.mark.parametrize("version", SUPPORTED)
def test_newer_releases_change_nothing_with_the_pip_of_each_python(
    project: Project, version: str
) -> None:

    done = project.set_up(interpreter(version), **UNHELPFUL)

    assert done.returncode == 0, done.stderr
    assert_locked(project)


@integration
def test_of_a_configuration_file_only_the_way_to_the_index_is_used(
    project: Project, tmp_path: Path
) -> None:
    file = tmp_path / "pip.conf"
    url, project.index.url = project.index.url, ""
    file.write_text(f"[global]\nindex-url = {url}\npre = true\n[install]\nuser = true\n")

    done = project.set_up(interpreter(OWN), PIP_CONFIG_FILE=str(file))

    assert done.returncode == 0, done.stderr
    assert project.installed() == LOCKED


@slow
def test_a_set_up_that_is_complete_asks_for_nothing(shared: Project) -> None:
    before = list(shared.index.requests)

    done = shared.set_up()

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert shared.index.requests == before


@slow
def test_the_project_itself_is_installed_without_an_index(shared: Project) -> None:
    before = list(shared.index.requests)
    (shared.folder / "pyproject.toml").write_text(PYPROJECT + 'description = "changed"\n')

    done = shared.set_up()

    assert done.returncode == 0, done.stderr
    assert shared.index.requests == before


@slow
def test_other_and_additional_packages_are_named_and_mended(shared: Project) -> None:
    shared.pip("alpha==1.1", "delta==1.0")
    assert shared.python("-m", "pip", "uninstall", "-y", "gamma").returncode == 0

    check = shared.python("tools/check_lock.py")
    done = shared.set_up()

    assert check.returncode == 1
    named = [line.strip() for line in check.stderr.splitlines() if line.startswith("  ")]
    assert [line.partition(":")[0] for line in named] == ["alpha", "delta", "gamma"]
    assert ["1.1" in named[0], "1.0" in named[0], "1.0" in named[1]] == [True] * 3
    assert "make setup" in check.stderr
    assert done.returncode == 0, done.stderr
    assert shared.installed() == LOCKED
    assert shared.python("tools/check_lock.py").returncode == 0


@integration
def test_a_lock_that_leaves_out_what_its_packages_need_is_refused(project: Project) -> None:
    project.lines = tuple(line for line in project.lines if not line.startswith("alpha"))

    done = project.set_up(interpreter(OWN))

    assert done.returncode == 1
    assert "alpha" in done.stdout + done.stderr
    assert not (project.folder / ".venv/.complete").exists()


@integration
def test_a_file_that_is_not_the_locked_one_is_refused(project: Project) -> None:
    project.index.add("beta", "1.0", "alpha")

    done = project.set_up(interpreter(OWN))

    assert done.returncode == 1
    assert "beta" in done.stderr
    assert not (project.folder / ".venv/.complete").exists()


@integration
def test_a_venv_that_is_half_made_is_made_anew(project: Project) -> None:
    project.set_up(interpreter(OWN))
    (project.folder / ".venv/.complete").unlink()
    shutil.rmtree(next(project.folder.glob(".venv/lib/*/site-packages/pip")))

    done = project.set_up(interpreter(OWN))

    assert done.returncode == 0, done.stderr
    assert project.installed() == LOCKED


@integration
def test_a_venv_that_was_moved_is_made_anew(project: Project) -> None:
    project.set_up(interpreter(OWN))
    moved = project.folder.with_name("moved")
    project.folder.rename(moved)
    project.folder = moved

    done = project.set_up(interpreter(OWN))

    assert done.returncode == 0, done.stderr
    pip = (moved / ".venv/bin/pip").read_text().splitlines()[0]
    assert str(moved) in pip
    assert project.installed() == LOCKED


@integration
def test_a_venv_of_another_python_is_made_anew_when_that_is_named(project: Project) -> None:
    project.set_up(interpreter(OWN))
    version, python = other_interpreter()

    done = project.set_up(python)
    again = project.set_up(python)

    assert done.returncode == 0, done.stderr
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    assert project.python("-c", ask).stdout.strip() == version
    assert project.installed() == LOCKED
    assert (again.returncode, again.stderr) == (0, "")


@integration
def test_without_a_network_the_set_up_ends_soon_and_names_the_mirror_settings(
    project: Project,
) -> None:
    done = project.set_up(interpreter(OWN), PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0")

    assert done.returncode == 1
    assert {"PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS"} <= set(
        re.findall(r"\w+", done.stderr)
    )


@integration
def test_a_folder_of_wheels_is_enough_without_a_network(project: Project, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for wheel in project.index.folder.rglob("*.whl"):
        shutil.copy(wheel, wheels)

    done = project.set_up(interpreter(OWN), PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels))

    assert done.returncode == 0, done.stderr
    assert project.installed() == LOCKED
    assert project.index.requests == []
