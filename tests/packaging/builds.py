"""Wheels and source distributions of this work tree, built by the locked hatchling."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.packaging.project_copy import copy_project


def build(target: str, project: Path, folder: Path, **variables: str) -> Path:
    """Build a project's wheel or sdist into a new folder, and return its path."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(
        command, cwd=project, env={**os.environ, **variables}, check=True, capture_output=True
    )
    (built,) = folder.iterdir()
    return built


def build_wheel(folder: Path, **variables: str) -> Path:
    """Build a wheel of the work tree in `folder`."""
    project = copy_project(folder / "project")
    return build("wheel", project, folder / "dist", **variables)


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack a source distribution, and return its folder."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (project,) = folder.iterdir()
    return project
