"""The data files in a source's folder, by which new ones are told from changed ones."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import pyarrow.fs as pafs

from featurestore.store.paths import is_local, local_path


@dataclass(frozen=True)
class SourceFile:
    """A data file as it lies in its folder.

    Args:
        path: Its address, as the file system gives it.
        size: Its bytes.
        modified_at: Its time, in UTC microseconds.
    """

    path: str
    size: int
    modified_at: int


def list_files(place: str) -> tuple[SourceFile, ...]:
    """Return the data files under a folder, by path; none where there is no folder.

    Names that start with ``_`` or ``.`` are no data, as for Spark.

    Example:
        >>> list_files("no/such/folder")
        ()
    """
    filesystem, root = _filesystem(place)
    if filesystem.get_file_info(root).type != pafs.FileType.Directory:
        return ()
    selector = pafs.FileSelector(root, recursive=True)
    found = (
        SourceFile(info.path, info.size, (info.mtime_ns or 0) // 1000)
        for info in filesystem.get_file_info(selector)
        if info.type == pafs.FileType.File and _is_data(info.path[len(root) :])
    )
    return tuple(sorted(found, key=lambda file: file.path))


def read_text(address: str) -> str | None:
    """Return a small text file's content, or None where there is no file.

    Example:
        >>> read_text("no/such/file") is None
        True
    """
    filesystem, path = _filesystem(address)
    try:
        with filesystem.open_input_stream(path) as stream:
            return bytes(stream.read()).decode()
    except FileNotFoundError:
        return None


def list_names(folder: str) -> tuple[str, ...]:
    """Return the names of the files in a folder; none where there is no folder.

    Example:
        >>> list_names("no/such/folder")
        ()
    """
    filesystem, root = _filesystem(folder)
    infos = filesystem.get_file_info(pafs.FileSelector(root, allow_not_found=True))
    return tuple(sorted(info.base_name for info in infos if info.type == pafs.FileType.File))


def path_of(address: str) -> str:
    """Return an address as `list_files` spells paths, from a URL or a path.

    Example:
        >>> path_of("file:///data/a%20b.csv"), path_of("s3://bucket/a.csv")
        ('/data/a b.csv', 'bucket/a.csv')
    """
    if "://" not in address and not address.startswith("file:"):
        return address
    parts = urlsplit(address)
    return unquote(parts.netloc + parts.path)


def _filesystem(address: str) -> tuple[pafs.FileSystem, str]:
    if is_local(address):
        return pafs.LocalFileSystem(), local_path(address)
    filesystem, path = pafs.FileSystem.from_uri(address)
    return filesystem, str(path)


def _is_data(relative: str) -> bool:
    return not any(part.startswith(("_", ".")) for part in relative.split("/"))
