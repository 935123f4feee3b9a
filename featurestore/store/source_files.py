"""The data files of a source, with the sizes and times that show changed files."""

import hashlib
import os
import re
from collections.abc import Iterator
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
        (``_day=1``), are no data, as in Spark. A file that ``address`` names is.

        Raises:
            SourceError: A name is not UTF-8, the folder cannot be read, or a symbolic link leads
                nowhere.
        """
        for name in self._broken_links:
            if self._is_chosen(name):
                raise SourceError(
                    f"list the files of {self.address}",
                    f"the symbolic link {name} leads to no file",
                    "Bring its file back, or remove the link.",
                )
        start = len(self.folder.rstrip("/")) + 1
        named = [(info, info.path[start:]) for info in self._infos]
        found = [self._file(info, name) for info, name in named if self._is_chosen(name)]
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

    @cached_property
    def _broken_links(self) -> tuple[str, ...]:
        """The names of symbolic links without a file. Arrow lists the others only."""
        if not is_local(self.address) or self._is_named:
            return ()
        return tuple(sorted(_broken_links(self.folder)))

    @property
    def table_format(self) -> str | None:
        """The table format whose folder this is or is in; None for plain files."""
        logs = {log: table for log, table in _TABLE_LOGS.items() if self.exists}
        for above in (self.folder, *map(str, PurePosixPath(self.folder).parents[:_LEVELS])):
            for log, table in logs.items():
                if _exists(self._location[0], f"{above.rstrip('/')}/{log}"):
                    return table
        for info in self._infos:
            *folders, file = info.path[len(self.folder) :].split("/")
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
    def _infos(self) -> tuple[pafs.FileInfo, ...]:
        if not self.exists:
            return ()
        filesystem, folder = self._location[0], self.folder
        try:
            selector = pafs.FileSelector(folder, recursive=not self._is_named)
            # A name that is not UTF-8 fails when it is used.
            infos = [(info, info.path) for info in filesystem.get_file_info(selector)]
        except (OSError, UnicodeError) as error:
            raise SourceError(
                f"list the files of {self.address}",
                str(error),
                "Rename files whose names are not UTF-8, and make all folders readable.",
            ) from None
        return tuple(info for info, _ in infos if info.type != pafs.FileType.Directory)

    def _file(self, info: pafs.FileInfo, name: str) -> SourceFile:
        scheme = "" if is_local(self.address) else urlsplit(self.address).scheme + "://"
        modified_at = (info.mtime_ns or 0) // 1000
        return SourceFile(info.path, info.size or 0, modified_at, name, f"{scheme}{info.path}")


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
    filesystem, path = file_system(address if is_local(address) else listed_url(address))
    if decompress:
        return filesystem.open_input_stream(path, compression=_compression(path))
    return filesystem.open_input_file(path)


def listed_url(address: str) -> str:
    """Return the URL of a file in an object store from the address of a `SourceFile`.

    Such an address has the file's name as it is. Hive's and Spark's folders have ``%`` in theirs.

    Example:
        >>> listed_url("s3://bucket/at=09%3A30/a b.csv")
        's3://bucket/at=09%253A30/a%20b.csv'
    """
    return quote(address, safe=_URL_SAFE)


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


def _broken_links(folder: str) -> Iterator[str]:
    for above, folders, files in os.walk(folder):
        paths = (Path(above, name) for name in (*folders, *files))
        for path in paths:
            if path.is_symlink() and not path.exists():
                yield path.relative_to(folder).as_posix()


def _exists(filesystem: pafs.FileSystem, path: str) -> bool:
    return bool(filesystem.get_file_info(path or "/").type != pafs.FileType.NotFound)


def _is_data(name: str) -> bool:
    return not any(
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


_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_URL_SAFE = "/:@&=+,;~!$'()*[]{}"
_LEVELS = 3  # a table's files are at most so many folders of partitions below its log
_TOKENS = re.compile(r"\*\*/|\*\*|\[[^\]/]+\]|.", re.DOTALL)
_MEANINGS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}
