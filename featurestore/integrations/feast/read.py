"""A Feast repository, read by the Python of Feast's own environment."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from featurestore.errors import RequestError, SetupError
from featurestore.integrations.feast.translation.columns import Record

_PROGRAM = Path(__file__).with_name("child.py")
_FIX = "Name the Python of the environment in which Feast runs: --python /path/to/env/bin/python."


def read_repository(folder: Path, python: Path | None = None) -> Record:
    """Return the objects of a Feast repository as plain data.

    Their modules are imported, by another process, as `feast apply` does: their code runs.

    Args:
        folder: The folder with ``feature_store.yaml``.
        python: The Python of an environment with Feast; None for this one, if it has Feast.

    Raises:
        RequestError: The folder is no Feast repository, or its modules cannot be imported.
        SetupError: There is no Feast, or no Python.
    """
    call = f"import feast {str(folder)!r}"
    if not (folder / "feature_store.yaml").is_file():
        found = "there is no feature_store.yaml in this folder"
        raise RequestError(call, found, _nearby(folder))
    if python is None and importlib.util.find_spec("feast") is None:
        raise SetupError(call, "the package feast is not installed in this environment", _FIX)
    with TemporaryDirectory() as temporary:
        out = Path(temporary, "repository.json")
        _run(call, [str(python or sys.executable), "-", str(folder.absolute()), str(out)])
        if not out.exists():
            fix = "Run `feast plan` there: it shows what ends the process."
            raise RequestError(call, "its modules ended the process that read them", fix)
        repository: Record = json.loads(out.read_text("utf-8"))
    _raise_problem(call, repository)
    return repository


def _run(call: str, command: list[str]) -> None:
    """Run the program. What the repository prints goes to this process's error stream."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "FEAST_USAGE": "False"}
    try:
        subprocess.run(
            command,
            input=_PROGRAM.read_bytes(),
            stdout=sys.__stderr__,
            check=False,
            env=environment,
        )
    except OSError as error:
        raise SetupError(call, f"{command[0]}: {error.strerror}", _FIX) from error


def _raise_problem(call: str, repository: Record) -> None:
    problem = repository.get("problem")
    if problem and problem["kind"] == "feast":
        raise SetupError(call, f"Python has no Feast: {problem['text']}", _FIX)
    if problem:
        fix = "Correct it until `feast plan` succeeds in that environment, and import again."
        raise RequestError(call, f"its modules cannot be read:\n{problem['text'].rstrip()}", fix)


def _nearby(folder: Path) -> str:
    """Return a sentence with the repositories in a folder."""
    found = sorted(folder.glob("*/feature_store.yaml")) if folder.is_dir() else []
    if found:
        return f"Did you mean {str(found[0].parent)!r}?"
    return "Name the folder in which `feast apply` runs."
