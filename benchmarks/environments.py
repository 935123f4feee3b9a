"""A virtual environment for each peer, created once: their requirements exclude each other."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

# DuckDB and Polars have the versions of the project's lock. Feast's version is set here.
REQUIREMENTS = {
    "duckdb_sql": (f"duckdb=={version('duckdb')}", f"pyarrow=={version('pyarrow')}"),
    "polars_frames": (f"polars=={version('polars')}", f"pyarrow=={version('pyarrow')}"),
    "feast_store": ("feast[duckdb]==0.67.0", "pyarrow"),
}


class NotInstalledError(Exception):
    """A peer's environment cannot be created, e.g. without a network."""


def python_of(program: str, data: Path) -> str:
    """Return the interpreter that runs a contestant, and create its environment if necessary.

    Raises:
        NotInstalledError: The environment cannot be created.
    """
    if program not in REQUIREMENTS:
        return sys.executable
    folder = data / "environments" / program
    python, installed = folder / "bin" / "python", folder / "requirements.txt"
    requirements = "\n".join(REQUIREMENTS[program]) + "\n"
    if not installed.exists() or installed.read_text() != requirements:
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--quiet", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--quiet", "--python", str(python), *REQUIREMENTS[program])
        installed.write_text(requirements)
    return str(python)


def _uv(*arguments: str) -> None:
    command = [sys.executable, "-m", "uv", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["uv failed"])[-1]
        raise NotInstalledError(reason)
