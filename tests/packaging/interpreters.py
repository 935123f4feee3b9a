"""The Python interpreters of this machine that the project supports."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

SUPPORTED = ("3.11", "3.12", "3.13")
BESIDE = Path(sys.base_prefix).parent
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


@cache
def interpreters() -> dict[str, Path]:
    """Return one interpreter for each supported version that this machine has.

    They are looked up in pyenv's folder, beside the one that runs the tests (an empty HOME hides
    pyenv's folder) and on PATH, and run: pyenv also puts programs on PATH that only say that their
    version is not active.
    """
    return {
        version: path
        for version in SUPPORTED
        if (path := next(filter(None, map(real_path, candidates(version))), None))
    }


def other_interpreter() -> tuple[str, Path]:
    """Return a version other than the one that runs the tests, and its interpreter.

    Without one the test is skipped; in CI, which must have one, it fails.
    """
    others = {version: path for version, path in interpreters().items() if version != OWN}
    if not others:
        missing = ", ".join(version for version in SUPPORTED if version != OWN)
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop(f"This machine has no Python {missing}")
    return max(others.items())


def interpreter(version: str) -> Path:
    """Return the interpreter of a version; skip the test on a machine without it."""
    if version not in interpreters():
        pytest.skip(f"This machine has no Python {version}")
    return interpreters()[version]


def candidates(version: str) -> list[Path]:
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders_of_pyenv = [*root.glob(f"versions/{version}.*/bin"), *BESIDE.glob(f"{version}.*/bin")]
    inside = sorted(folders_of_pyenv, reverse=True)
    # pyenv's own interpreters first: those of Debian may lack ensurepip.
    return [folder / f"python{version}" for folder in (*inside, *folders)]


def real_path(program: Path) -> Path | None:
    """Return the path of the interpreter that a program starts, or None if it does not run."""
    ask = "import ensurepip, sys; print(sys._base_executable)"
    try:
        answer = subprocess.run(
            [program, "-c", ask], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(answer.stdout.strip())
