"""The data files of a source, with the sizes and times that show changed files."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

import pyarrow as pa
import pyarrow.fs as pafs

from featurestore.errors import SourceError
from featurestore.store.file_system import file_system
from featurestore.store.paths import is_local, local_path

_PATTERN = re.compile(r"[*?\[{]")
_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}
COMPRESSED = tuple(_COMPRESSIONS)
"""The suffixes of compressed files."""
# Folders of table formats whose files contain rows that were replaced or deleted since.
_TABLE_LOGS = {"_delta_log": "Delta", ".hoodie": "Hudi"}


@dataclass(frozen=True)
class SourceFile:
    """A data file.

    Args:
        path: Its address in the file system.
        size: Its size in bytes.
        modified_at: The time of its last change, in UTC microseconds.
        name: Its path below the source's folder, with ``/``. It stays the same where a project's
            folder is moved.
        address: Its path, or its URL.
    """

    path: str
    size: int
    modified_at: int
    name: str = ""
    address: str = ""


@dataclass(frozen=True)
class _Entry:
    """A file in a folder, or a symbolic link that leads to none.

    Args:
        file: The file.
        problem: Where the link leads, as a clause; ``""`` for a file.
    """

    file: SourceFile
    problem: str = ""


@dataclass(frozen=True)
class FilePath:
    """The place of a source's files: a folder, and the names of the files below it.

    Args:
        address: An existing file or folder, or a pattern: ``*`` and ``?`` do not match ``/``,
            ``**`` does, ``[ab]`` and ``{a,b}`` are choices. An existing name is no pattern.
    """

    address: str

    @cached_property
    def _location(self) -> tuple[pafs.FileSystem, str]:
        filesystem, path = file_system(self.address)
        return filesystem, path if is_local(self.address) else path.rstrip("/")

    @cached_property
    def _parts(self) -> tuple[str, str | None]:
        """The folder, and the pattern below it; None for all files of the folder."""
        filesystem, path = self._location
        kind = filesystem.get_file_info(path).type
        if kind == pafs.FileType.File:
            folder, _, name = path.rpartition("/")
            return folder or "/", re.escape(name)
        if kind == pafs.FileType.Directory or not _PATTERN.search(path):
            return path, None
        parts = path.split("/")
        for count, part in enumerate(parts):
            folder = "/".join(parts[:count]) or "/"
            if _PATTERN.search(part) and not _exists(filesystem, "/".join(parts[: count + 1])):
                return folder, _regex("/".join(parts[count:]))
        return path, None

    @property
    def is_pattern(self) -> bool:
        """Whether the address is a pattern, rather than a name."""
        return self._parts[1] is not None and not self._is_named

    @property
    def folder(self) -> str:
        """The folder below which files have names."""
        return self._parts[0]

    @cached_property
    def exists(self) -> bool:
        """Whether there is the file or the folder."""
        return _exists(self._location[0], self.folder)

    @cached_property
    def files(self) -> tuple[SourceFile, ...]:
        """The data files, sorted by name; none if there is no folder.

        Files and folders whose names start with ``.``, or with ``_`` unless they are Hive's
        (``_day=1``), are no data, as in Spark. So are unfinished files, such as ``a.csv.tmp``. A
        file that ``address`` names is.

        Raises:
            SourceError: A name is not UTF-8, the folder cannot be read, or a symbolic link leads
                nowhere or to a folder above it.
        """
        listed = self._listed
        found = [entry.file for entry in listed if self._is_chosen(entry.file.name)]
        for entry in listed:
            if entry.problem and self._is_chosen(entry.file.name):
                raise SourceError(
                    f"list the files of {self.address}",
                    f"the symbolic link {entry.file.name} leads to {entry.problem}",
                    "Correct the link, or remove it.",
                )
        return tuple(sorted(found, key=lambda file: file.name))

    def _is_chosen(self, name: str) -> bool:
        """Return whether a file below the folder is data of this source, by its name."""
        is_data = self._is_named or _is_data(name)
        return is_data and (self._choice is None or bool(self._choice.fullmatch(name)))

    @cached_property
    def _choice(self) -> re.Pattern[str] | None:
        """The names of the pattern; None for all."""
        pattern = self._parts[1]
        try:
            return None if pattern is None else re.compile(pattern + r"(/.*)?", re.DOTALL)
        except re.error:  # such as "{a.csv" or "[z-a]"
            raise SourceError(
                f"list the files of {self.address}",
                "a '{' in the path is not closed, or '[...]' in it is no choice of characters",
                "Write patterns such as '{a,b}.csv' or '[ab].csv'.",
            ) from None

    @property
    def table_format(self) -> str | None:
        """The table format whose folder this is or is in; None for plain files."""
        logs = {log: table for log, table in _TABLE_LOGS.items() if self.exists}
        for above in (self.folder, *map(str, PurePosixPath(self.folder).parents[:_LEVELS])):
            for log, table in logs.items():
                if _exists(self._location[0], f"{above.rstrip('/')}/{log}"):
                    return table
        for entry in self._listed:
            *folders, file = entry.file.name.split("/")
            for log, table in logs.items():
                if log in folders:
                    return table
            if folders[-1:] == ["metadata"] and file.endswith(".metadata.json"):
                return "Iceberg"
        return None

    def name_of(self, path: str) -> str:
        """Return a file's name below the folder, from its path, its URL or its name."""
        return path_of(path).removeprefix(self.folder.rstrip("/") + "/")

    @cached_property
    def _is_named(self) -> bool:
        filesystem, path = self._location
        return bool(filesystem.get_file_info(path).type == pafs.FileType.File)

    @cached_property
    def _listed(self) -> tuple[_Entry, ...]:
        """All files of the folder, hidden ones included."""
        if not self.exists:
            return ()
        try:
            if is_local(self.address):
                return tuple(_local_entries(self.folder, is_deep=not self._is_named))
            return tuple(self._remote_entries())
        except (OSError, UnicodeError) as error:
            raise SourceError(
                f"list the files of {self.address}",
                str(error),
                "Rename files whose names are not UTF-8, and make all folders readable.",
            ) from None

    def _remote_entries(self) -> Iterator[_Entry]:
        selector = pafs.FileSelector(self.folder, recursive=not self._is_named)
        start = len(self.folder.rstrip("/")) + 1
        for info in self._location[0].get_file_info(selector):
            if info.type != pafs.FileType.Directory:
                modified_at, size = (info.mtime_ns or 0) // 1000, info.size or 0
                url = listed_url(self.address, info.path)
                yield _Entry(SourceFile(info.path, size, modified_at, info.path[start:], url))


def list_files(address: str) -> tuple[SourceFile, ...]:
    """Return the data files of a file, a folder or a pattern, sorted by name.

    Example:
        >>> list_files("no/such/folder")
        ()
    """
    return FilePath(address).files


def open_file(address: str, *, decompress: bool = False) -> pa.NativeFile:
    """Return an open file.

    Args:
        address: The address of a `SourceFile`.
        decompress: Whether to decompress it, as its suffix says: ``.gz``, ``.bz2``, ``.zst`` or
            ``.lz4``.

    Raises:
        OSError: The file is missing or cannot be read.
    """
    filesystem, path = file_system(address)
    if decompress:
        return filesystem.open_input_stream(path, compression=_compression(path))
    return filesystem.open_input_file(path)


def listed_url(address: str, path: str) -> str:
    """Return the URL of a file that an object store has listed.

    Args:
        address: The URL of the source, whose options (``?region=eu-west-1``) the file needs, too.
        path: The listed path. Its name is as it is: Spark's folders have ``%`` in theirs.

    Example:
        >>> listed_url("s3://bucket/data?region=eu-west-1", "bucket/data/at=09%3A30/a b.csv")
        's3://bucket/data/at=09%253A30/a%20b.csv?region=eu-west-1'
    """
    parts = urlsplit(address)
    options = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{quote(path, safe=_URL_SAFE)}{options}"


def content_digest(address: str) -> str:
    """Return the hash of a local file's content; ``""`` for a file elsewhere.

    Example:
        >>> content_digest("s3://bucket/a.csv")
        ''
    """
    if not is_local(address):
        return ""
    with Path(local_path(address)).open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]


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


def folder_values(name: str) -> dict[str, str | None]:
    """Return the columns that the folders of a file's name give, as Hive writes them.

    Values are texts: a value ``007`` stays ``007``.

    Example:
        >>> folder_values("day=2026-01-01/shop=007/a%20b.csv")
        {'day': '2026-01-01', 'shop': '007'}
    """
    pairs = (part.partition("=") for part in name.split("/")[:-1] if "=" in part)
    return {
        unquote(column): None if value == _HIVE_NULL else unquote(value)
        for column, _, value in pairs
        if column
    }


def _local_entries(
    folder: str, *, is_deep: bool, below: str = "", above: frozenset[str] = frozenset()
) -> Iterator[_Entry]:
    """Yield the files of a local folder. Arrow leaves out links to no file, and follows circles.

    Args:
        folder: The folder.
        is_deep: Whether to list the files of folders in it, too.
        below: The folder's own name below the source's folder, with ``/`` at its end.
        above: The folders from the source's folder to this one, with their links resolved.
    """
    above |= {os.path.realpath(folder)}
    with os.scandir(folder) as entries:
        for entry in entries:
            entry.name.encode()  # fails for a name that is not UTF-8
            name, problem = below + entry.name, ""
            if entry.is_symlink():
                target = os.path.realpath(entry.path)
                problem = "" if Path(target).exists() else "no file"
                problem = "a folder that it is in" if target in above else problem
            if problem:
                yield _Entry(SourceFile(entry.path, 0, 0, name, entry.path), problem)
                continue
            with suppress(FileNotFoundError):  # renamed or removed since, such as unfinished files
                if not entry.is_dir():
                    yield _Entry(_local_file(entry, name))
                elif is_deep:
                    yield from _local_entries(
                        entry.path, is_deep=True, below=f"{name}/", above=above
                    )


def _local_file(entry: os.DirEntry[str], name: str) -> SourceFile:
    status = entry.stat()
    return SourceFile(entry.path, status.st_size, status.st_mtime_ns // 1000, name, entry.path)


def _exists(filesystem: pafs.FileSystem, path: str) -> bool:
    return bool(filesystem.get_file_info(path or "/").type != pafs.FileType.NotFound)


def _is_data(name: str) -> bool:
    return not name.lower().endswith(_UNFINISHED) and not any(
        part.startswith(".") or (part.startswith("_") and "=" not in part)
        for part in name.split("/")
    )


def _regex(pattern: str) -> str:
    """Return a pattern of file names as a regular expression."""
    depth, parts = 0, []
    for token in _TOKENS.findall(pattern):
        if token in ("{", "}"):
            depth += 1 if token == "{" else -1
        elif token == "," and depth:
            parts.append("|")
            continue
        parts.append(_MEANINGS.get(token) or _choice(token))
    return "".join(parts)


def _choice(token: str) -> str:
    if len(token) > 1 and token[0] == "[":
        negated = token[1] in "!^"
        inside = re.escape(token[2 if negated else 1 : -1]).replace(r"\-", "-")
        return f"[{'^' if negated else ''}{inside}]"
    return re.escape(token)


def _compression(path: str) -> str | None:
    return next((name for suffix, name in _COMPRESSIONS.items() if path.endswith(suffix)), None)


# Programs that write, copy or download a file give it such a name until it is whole.
_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".crdownload", "._copying_", "~")
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_URL_SAFE = "/:@&=+,;~!$'()*[]{}"
_LEVELS = 3  # a table's files are at most so many folders of partitions below its log
_TOKENS = re.compile(r"\*\*/|\*\*|\[[^\]/]+\]|.", re.DOTALL)
_MEANINGS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}
