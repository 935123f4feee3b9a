"""Definitions of a Feast repository, written to a file of the project."""

import os
from dataclasses import dataclass
from pathlib import Path

from featurestore.errors import RequestError
from featurestore.integrations.feast.digest import is_as_written, with_digest
from featurestore.integrations.feast.read import read_repository
from featurestore.integrations.feast.translation.notes import Note
from featurestore.integrations.feast.translation.translate import MARK, translate
from featurestore.store.failures import storage_errors


@dataclass(frozen=True)
class Imported:
    """What an import wrote.

    Args:
        path: The file.
        feast: The version of Feast.
        definitions: The number of written definitions.
        notes: What is the same, what has another meaning, and what is left out.
    """

    path: Path
    feast: str
    definitions: int
    notes: tuple[Note, ...]


def import_repository(
    repository: Path, project: Path, out: Path, python: Path | None = None, *, force: bool = False
) -> Imported:
    """Write the definitions of a Feast repository to a file.

    Args:
        repository: The folder with ``feature_store.yaml``.
        project: The project's folder: the paths of sources begin there.
        out: The file to write.
        python: The Python of an environment with Feast; None for this one.
        force: Write the file even if people changed it, or wrote it.

    Raises:
        RequestError: The file is not as an import wrote it, or the repository cannot be read.
        SetupError: There is no Feast, or no Python.
        StorageError: The file cannot be written.
    """
    call = f"import feast {str(repository)!r}"
    with storage_errors(call, str(out)):
        if not force and out.exists():
            _require_as_written(call, out)
        read = read_repository(repository, python)
        translation = translate(read, _seen_from(project, repository))
        out.parent.mkdir(parents=True, exist_ok=True)
        _write(out, with_digest(translation.text))
    return Imported(out, read["feast"], translation.definitions, translation.notes)


def _require_as_written(call: str, out: Path) -> None:
    text = out.read_text("utf-8", errors="replace")
    if is_as_written(text):
        return
    wrong = f"{out} was not written by this command"
    if MARK in text:
        wrong = f"{out} was changed after this command wrote it"
    fix = "Name another file with --out and compare the two, or write over it with --force."
    raise RequestError(call, wrong, fix)


def _write(out: Path, text: str) -> None:
    """Write a file whole or not at all. Half a surrogate pair becomes its escape in Python."""
    file = out.resolve()  # a link stays a link
    beside = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        beside.write_bytes(text.encode("utf-8", "backslashreplace"))
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _seen_from(project: Path, repository: Path) -> str:
    """Return the repository's folder as seen from the project's."""
    return Path(os.path.relpath(repository.absolute(), project.absolute())).as_posix()
