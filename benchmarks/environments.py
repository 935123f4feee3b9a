"""A virtual environment for each peer, made once and kept: their pins clash with each other's."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

# DuckDB and Polars as the project has them, so that the lock file moves them on; Feast by hand.
REQUIREMENTS = {
    "duckdb_sql": (f"duckdb=={version('duckdb')}", f"pyarrow=={version('pyarrow')}"),
    "polars_frames": (f"polars=={version('polars')}", f"pyarrow=={version('pyarrow')}"),
    "feast_store": ("feast[duckdb]==0.67.0", "pyarrow"),
}


class NotInstalledError(Exception):
    """A peer's environment cannot be made, e.g. without a network."""


def python_of(program: str, data: Path) -> str:
    """Return the interpreter that runs a contestant, after making its environment if need be.

    Raises:
        NotInstalledError: The environment cannot be made.
    """
    if program not in REQUIREMENTS:
        return sys.executable
    folder = data / "environments" / program
    python, mark = folder / "bin" / "python", folder / "requirements.txt"
    wanted = "\n".join(REQUIREMENTS[program]) + "\n"
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--quiet", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--quiet", "--python", str(python), *REQUIREMENTS[program])
        mark.write_text(wanted)
    return str(python)


def _uv(*arguments: str) -> None:
    command = [sys.executable, "-m", "uv", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["uv failed"])[-1]
        raise NotInstalledError(reason)
