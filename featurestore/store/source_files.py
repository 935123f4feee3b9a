"""The data files in a source's folder, with sizes and times that show changed files."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import pyarrow.fs as pafs

from featurestore.store.file_system import file_system


@dataclass(frozen=True)
class SourceFile:
    """A data file.

    Args:
        path: Its address in the file system.
        size: Its size in bytes.
        modified_at: The time of its last change, in UTC microseconds.
    """

    path: str
    size: int
    modified_at: int


def list_files(address: str) -> tuple[SourceFile, ...]:
    """Return the data files under a folder, sorted by path; none if there is no folder.

    Files and folders whose names start with ``_`` or ``.`` are not data, as in Spark.

    Example:
        >>> list_files("no/such/folder")
        ()
    """
    filesystem, root = file_system(address)
    if filesystem.get_file_info(root).type != pafs.FileType.Directory:
        return ()
    selector = pafs.FileSelector(root, recursive=True)
    files = (
        SourceFile(info.path, info.size, (info.mtime_ns or 0) // 1000)
        for info in filesystem.get_file_info(selector)
        if info.type == pafs.FileType.File and _is_data(info.path[len(root) :])
    )
    return tuple(sorted(files, key=lambda file: file.path))


def path_of(address: str) -> str:
    """Return a URL or a path in the form of the paths of `list_files`.

    Example:
        >>> path_of("file:///data/a%20b.csv"), path_of("s3://bucket/a.csv")
        ('/data/a b.csv', 'bucket/a.csv')
    """
    if "://" not in address and not address.startswith("file:"):
        return address
    parts = urlsplit(address)
    return unquote(parts.netloc + parts.path)


def _is_data(relative: str) -> bool:
    return not any(part.startswith(("_", ".")) for part in relative.split("/"))
