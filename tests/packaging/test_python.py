"""What `make` says at once when the machine lacks something, and which Python it takes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging.interpreters import OWN, interpreter, other_interpreter
from tests.packaging.project_copy import ROOT, copy_project

# What the Makefile and the set-up's scripts call, beside Python and Java.
PROGRAMS = ("awk", "bash", "cat", "dirname", "env", "head", "id", "make", "sh")
# pyenv answers so for a version that is installed and not active.
REFUSES = "#!/bin/sh\necho 'not active' >&2\nexit 127\n"


@pytest.fixture
def folder_on_path(tmp_path: Path) -> Path:
    """Return a folder for PATH that has the programs that every machine has."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in PROGRAMS:
        (folder / program).symlink_to(shutil.which(program))
    return folder


def put(folder: Path, name: str, target: Path | str) -> None:
    """Put a program into a folder: a link to one, or the text of a script."""
    if isinstance(target, Path):
        (folder / name).write_text(f'#!/bin/sh\nexec "{target}" "$@"\n')
    else:
        (folder / name).write_text(target)
    (folder / name).chmod(0o755)


def run(
    *command: str | Path, path: Path, cwd: Path = ROOT, **variables: str
) -> subprocess.CompletedProcess:
    """Run a program with nothing on PATH but one folder, and an empty HOME."""
    environ = {"PATH": str(path), "HOME": str(path.parent / "home"), **variables}
    return subprocess.run(
        command, env=environ, cwd=cwd, capture_output=True, text=True, check=False
    )


def test_a_python_that_does_not_run_is_passed_over(folder_on_path: Path) -> None:
    put(folder_on_path, "python3.13", REFUSES)
    put(folder_on_path, "python3", interpreter(OWN))

    done = run(ROOT / "tools/find_python.sh", path=folder_on_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()) == interpreter(OWN)


def test_a_python_that_only_pyenv_has_is_found(folder_on_path: Path, tmp_path: Path) -> None:
    inside = tmp_path / "pyenv/versions/3.11.99/bin"
    inside.mkdir(parents=True)
    put(inside, "python", interpreter(OWN))

    done = run(
        ROOT / "tools/find_python.sh", path=folder_on_path, PYENV_ROOT=str(tmp_path / "pyenv")
    )

    assert Path(done.stdout.strip()) == interpreter(OWN)


def test_the_named_python_is_taken(folder_on_path: Path) -> None:
    put(folder_on_path, "python3", interpreter(OWN))
    _, other = other_interpreter()

    done = run(ROOT / "tools/find_python.sh", path=folder_on_path, PYTHON=str(other))

    assert Path(done.stdout.strip()) == other


@pytest.mark.parametrize("named", [{}, {"PYTHON": "/nowhere/python3.12"}])
def test_without_a_python_both_ways_to_one_are_named(folder_on_path: Path, named: dict) -> None:
    done = run(ROOT / "tools/find_python.sh", path=folder_on_path, **named)

    assert (done.returncode, done.stdout) == (1, "")
    assert "make setup PYTHON=" in done.stderr


def test_a_missing_java_ends_make_test_before_anything_is_installed(
    folder_on_path: Path, tmp_path: Path
) -> None:
    project = copy_project(tmp_path / "project")
    put(folder_on_path, "python3", interpreter(OWN))

    done = run("make", "test", path=folder_on_path, cwd=project)

    assert done.returncode == 2
    assert "JAVA_HOME" in done.stderr
    assert not (project / ".venv").exists()


def test_a_make_that_is_too_old_is_refused(folder_on_path: Path) -> None:
    # Version 3.81, which macOS brings, has no such feature.
    done = run("make", "help", ".FEATURES=", path=folder_on_path)

    assert done.returncode == 2
    assert "3.82" in done.stderr


@pytest.mark.parametrize(("target", "lines"), [("setup", 1), ("demo", 0)])
def test_only_setup_ends_with_the_next_step(folder_on_path: Path, target: str, lines: int) -> None:
    recipe = run("make", "-n", target, path=folder_on_path).stdout.splitlines()

    ready = [line for line in recipe if "setup: ready" in line]
    assert len(ready) == lines
    assert recipe[-1:] == ready or not ready
    assert all("make demo" in line and line.endswith(">&2") for line in ready)


def test_help_lists_every_target_that_is_described(folder_on_path: Path) -> None:
    listed = run("make", "help", path=folder_on_path).stdout

    targets = {line.split()[1] for line in listed.splitlines()}
    assert {"setup", "demo", "check", "test", "integration", "lint", "lock", "audit"} <= targets
