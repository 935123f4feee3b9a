"""A project's settings: the file ``featurestore.toml`` in its folder."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from featurestore.errors import ProjectError, nearest
from featurestore.sizes import parse_bytes

FILE = "featurestore.toml"


@dataclass(frozen=True)
class Settings:
    """What ``featurestore.toml`` says.

    Args:
        folder: The project's folder; relative paths start here.
        project: The project's name, a part of every table's address.
        root: The folder or URL under which all projects' tables lie.
        definitions: The folder of definitions.
        spark_conf: A file of Spark settings; None for the defaults.
        memory_limit: What features and the work of SQL may take in process, in bytes; None for no
            limit.
    """

    folder: Path
    project: str
    root: str = "store"
    definitions: str = "feature_defs"
    spark_conf: str | None = None
    memory_limit: int | None = None

    @property
    def definitions_folder(self) -> Path:
        """The folder of definitions, as an absolute path."""
        return self.folder / self.definitions

    @property
    def spark_conf_file(self) -> Path | None:
        """The file of Spark settings, as an absolute path, or None."""
        return None if self.spark_conf is None else self.folder / self.spark_conf

    @property
    def store_root(self) -> str:
        """The address under which this project's tables lie."""
        root = self.root if "://" in self.root else str(self.folder / self.root)
        return f"{root.rstrip('/')}/{self.project}"


def read_settings(folder: str | Path, memory_limit: int | str | None = None) -> Settings:
    """Return the settings of the project in ``folder``.

    Args:
        folder: The project's folder.
        memory_limit: In place of the file's, e.g. ``"2GB"``; None for the file's.

    Raises:
        ProjectError: The folder holds no ``featurestore.toml``, or the file does not parse, lacks
            ``project``, or has a name or value that is not known.

    Example:
        >>> read_settings("no/such/folder")
        Traceback (most recent call last):
        ...
        featurestore.errors.ProjectError: open project no/such/folder: there is no featurestore...
    """
    path = Path(folder).absolute()
    call = f"open project {folder}"
    file = path / FILE
    if not file.is_file():
        raise ProjectError(
            call,
            f"there is no {FILE}",
            "Go to the project's folder (or pass --project), or make one: `featurestore init`.",
        )
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(call, f"{FILE} does not parse: {error}", "Mend that line.") from None
    texts = _checked(call, values)
    written = texts.pop("memory_limit", None)
    limit = written if memory_limit is None else memory_limit
    return Settings(path, **texts, memory_limit=None if limit is None else parse_bytes(limit))


def _checked(call: str, values: dict[str, Any]) -> dict[str, str]:
    known = ("project", "root", "definitions", "spark_conf", "memory_limit")
    for name, value in values.items():
        if name not in known:
            raise ProjectError(call, f"{FILE} has an unknown name {name!r}", nearest(name, known))
        if not isinstance(value, str) or not value:
            raise ProjectError(call, f"{FILE}: {name} is {value!r}", "Give it as a text.")
    if "project" not in values:
        raise ProjectError(
            call, f"{FILE} names no project", 'Add the line: project = "my_project"'
        )
    if not values["project"].replace("_", "a").replace("-", "a").isalnum():
        raise ProjectError(
            call,
            f"{FILE}: the project's name is {values['project']!r}",
            "Use letters, digits, - and _: it becomes a folder's name.",
        )
    return values
