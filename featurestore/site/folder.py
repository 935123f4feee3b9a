"""The folder of a site: another build replaces it whole, and nobody else's files are touched."""

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from filelock import FileLock, Timeout

from featurestore.errors import ConflictError, RequestError
from featurestore.store.failures import storage_error

MARKER = ".featurestore-site.json"
"""The file that says that a folder is a site, and which files it has."""
SCHEMA = "featurestore.site_folder/1"
_SHOWN = 3
_OF_DESKTOPS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


@contextmanager
def replaced_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder to write to, which takes the place of ``out`` at the end of the block.

    If the block fails, ``out`` stays as it was.

    Args:
        out: The folder: missing, empty, or an earlier site.

    Raises:
        RequestError: ``out`` holds other files. None of them is changed.
        ConflictError: Another process builds this site.
        StorageError: The disk refuses it.
    """
    target, call = out.absolute(), f"docs build --out {out}"
    if target.is_symlink():
        target = target.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _require_replaceable(target, call)  # before the lock, whose file stays
        with FileLock(target.parent / f".{target.name}.lock", timeout=0):
            _require_replaceable(target, call)
            _remove_unfinished(target)
            fresh = target.parent / f".{target.name}.{secrets.token_hex(4)}"
            fresh.mkdir()
            try:
                yield fresh
                _require_replaceable(target, call)
                _exchange(fresh, target)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    except Timeout as error:
        found, fix = "another process builds it", "Wait until it has ended, then run it again."
        raise ConflictError(call, found, fix) from error
    except OSError as error:
        raise storage_error(error, call, str(out)) from error


def _remove_unfinished(target: Path) -> None:
    """Remove what builds of the same site left beside it that were killed."""
    ours = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}(?:\.old)?")
    for path in target.parent.iterdir():
        if ours.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def _exchange(fresh: Path, target: Path) -> None:
    """Put the new folder in the place of the old one; put the old one back if that fails."""
    if not target.exists():
        fresh.rename(target)
        return
    old = fresh.with_name(f"{fresh.name}.old")
    target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _require_replaceable(target: Path, call: str) -> None:
    if not target.exists():
        return
    fix = "Choose a folder that is missing or empty, or remove them yourself."
    if not target.is_dir():
        raise RequestError(call, "it is a file", "Choose another folder.")
    known = _files_of_site(target)
    others = (
        path
        for path in _files(target)
        if path not in known and not (known and Path(path).name in _OF_DESKTOPS)
    )
    # It may be a whole disk: the first files are enough.
    if first := list(islice(others, _SHOWN + 1)):
        shown = ", ".join(first[:_SHOWN]) + (", ..." if len(first) > _SHOWN else "")
        found = f"the folder holds files that are not of a site: {shown}"
        raise RequestError(call, f"{found}. Nothing was changed", fix)


def _files(folder: Path) -> Iterator[str]:
    """Yield the paths of all files and of empty folders, relative to the folder."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        names.sort()
        path = Path(parent).relative_to(folder)
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        yield from ((path / name).as_posix() for name in (*names, *linked))
        if not folders and not names and path != Path():
            yield path.as_posix()


def _files_of_site(folder: Path) -> set[str]:
    """Return the files that an earlier build has written; none if it is no site."""
    try:
        marker = json.loads((folder / MARKER).read_text("utf-8"))
        is_ours = marker["schema"].startswith("featurestore.site_folder/")
        return {MARKER, *map(str, marker["files"])} if is_ours else set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()
