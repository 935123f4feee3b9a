"""A virtual environment for each peer, created once: their requirements exclude each other."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

# DuckDB, Polars and Spark have the versions of the project's lock. Others are set here.
_SPARK = (f"pyspark=={version('pyspark')}", "pandas<3", f"pyarrow=={version('pyarrow')}")
REQUIREMENTS = {
    "duckdb_sql": (f"duckdb=={version('duckdb')}", f"pyarrow=={version('pyarrow')}"),
    "polars_frames": (f"polars=={version('polars')}", f"pyarrow=={version('pyarrow')}"),
    "feast_store": ("feast[duckdb]==0.67.0", "pyarrow"),
    "feast_spark": ("feast[spark]==0.67.0", *_SPARK),
    # It imports IPython and SciPy without naming them as requirements.
    "tempo_frames": ("dbl-tempo==0.1.30", "ipython", "scipy", *_SPARK),
    "daft_frames": ("daft==0.7.26", "pyarrow"),
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
