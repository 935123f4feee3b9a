"""A project's settings: the file ``featurestore.toml`` in its folder."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from featurestore.credentials import WITHOUT_CREDENTIALS, has_credentials
from featurestore.environment import has_references, reference_problem, resolve
from featurestore.environments import chosen_environment, with_environment
from featurestore.errors import ProjectError, RequestError, nearest
from featurestore.sizes import parse_bytes
from featurestore.times import MICROS, parse_duration

FILE = "featurestore.toml"
# A look-up opens each small file, which takes 1 ms. To join ten of them takes 30 ms.
COMPACT_SMALL_FILES = 10


@dataclass(frozen=True)
class OpenLineage:
    """Where events of OpenLineage go: the table ``[openlineage]`` of ``featurestore.toml``.

    ``path``, ``url`` and ``api_key`` may have references to environment variables.

    Args:
        path: A file, to which each event is appended as a line of JSON; relative to the project's
            folder. None for a host.
        url: The address of a host that receives events. None for a file.
        endpoint: The path below ``url``.
        api_key: The key that the host asks for.
        timeout: How long a run waits for the host, for one event.
    """

    path: str | None = None
    url: str | None = None
    endpoint: str = "api/v1/lineage"
    api_key: str | None = None
    timeout: str = "5s"

    @property
    def timeout_seconds(self) -> float:
        """The seconds for which a run waits for the host."""
        return parse_duration(self.timeout) / MICROS["s"]


@dataclass(frozen=True)
class Settings:
    """The settings in ``featurestore.toml``.

    ``root``, ``definitions`` and ``spark_conf`` may have references to environment variables, such
    as ``${env:BUCKET}``. The properties with addresses resolve them.

    Args:
        folder: The project's folder; relative paths start here.
        project: The project's name; it is part of every table's address.
        root: The folder or URL that holds the tables of all projects.
        definitions: The folder of definitions.
        spark_conf: A file of Spark settings; None for the defaults.
        memory_limit: The most bytes that a retrieval or a SQL query may use in this process; None
            for no limit.
        verify_checksums: Whether each read of a feature table compares the pages of its files
            with their checksums. `verify` always does.
        compact_small_files: A run that finds more small files in a feature table than this joins
            them; 0 to leave them to `featurestore maintain`.
        profile: Whether runs record profiles: statistics of views' rows and features.
        retries: How often `materialize --due` runs a failed view again.
        retry_delay: The duration before the first retry; before each further one, twice as long.
        lint_ignore: What `featurestore lint` leaves out: codes, or ``"code:name"``.
        openlineage: Where events of OpenLineage go. None to send none.
        environment: The environment whose settings these are. None for those outside of all.
    """

    folder: Path
    project: str
    root: str = "store"
    definitions: str = "feature_defs"
    spark_conf: str | None = None
    memory_limit: int | None = None
    verify_checksums: bool = False
    compact_small_files: int = COMPACT_SMALL_FILES
    profile: bool = True
    retries: int = 2
    retry_delay: str = "30s"
    lint_ignore: tuple[str, ...] = ()
    openlineage: OpenLineage | None = None
    environment: str | None = None

    @property
    def title(self) -> str:
        """The project's name and that of the environment, for people: ``shop (dev)``."""
        return self.project + (f" ({self.environment})" if self.environment else "")

    @property
    def full_name(self) -> str:
        """The project's name and that of the environment, for other programs: ``shop-dev``."""
        return self.project + (f"-{self.environment}" if self.environment else "")

    @property
    def definitions_folder(self) -> Path:
        """The folder of definitions, as an absolute path."""
        return self.folder / resolve(self.definitions)

    @property
    def spark_conf_file(self) -> Path | None:
        """The file of Spark settings, as an absolute path, or None."""
        return None if self.spark_conf is None else self.folder / resolve(self.spark_conf)

    @property
    def retry_seconds(self) -> float:
        """The seconds before the first retry."""
        return parse_duration(self.retry_delay) / MICROS["s"]

    @property
    def store_root(self) -> str:
        """The address that holds this project's tables."""
        root = resolve(self.root)
        root = root if "://" in root else str(self.folder / root)
        return f"{root.rstrip('/')}/{self.project}"


def read_settings(
    folder: str | Path, memory_limit: int | str | None = None, env: str | None = None
) -> Settings:
    """Return the settings of the project in ``folder``.

    Args:
        folder: The project's folder, or its file ``featurestore.toml``.
        memory_limit: A limit that replaces the file's, e.g. ``"2GB"``; None for the file's.
        env: The environment, such as ``"dev"``. None for that of the environment variable
            ``FEATURESTORE_ENV``, if there is one; ``""`` for none.

    Raises:
        ProjectError: The folder has no ``featurestore.toml``; or the file does not parse, lacks
            ``project`` or the environment, or has an unknown setting or a wrong value.

    Example:
        >>> read_settings("no/such/folder")
        Traceback (most recent call last):
        ...
        featurestore.errors.ProjectError: open project no/such/folder: there is no featurestore...
    """
    path = Path(folder).absolute()
    path = path.parent if path.name == FILE and path.is_file() else path
    call = f"open project {folder}"
    file = path / FILE
    _check_decoded(call, path)
    if not file.is_file():
        raise ProjectError(call, f"there is no {FILE}", _near_project(path))
    environment = chosen_environment(env)
    values = with_environment(call, FILE, _parsed(call, file), environment, str(path))
    checksums = _switch(call, "verify_checksums", values.pop("verify_checksums", False))
    profile = _switch(call, "profile", values.pop("profile", Settings.profile))
    small_files = values.pop("compact_small_files", COMPACT_SMALL_FILES)
    retries = _count(call, "retries", values.pop("retries", Settings.retries))
    openlineage = _openlineage(call, values.pop("openlineage", None))
    lint_ignore = _texts(call, "lint_ignore", values.pop("lint_ignore", []))
    texts = _checked(call, values)
    file_limit = texts.pop("memory_limit", None)
    limit = file_limit if memory_limit is None else memory_limit
    return Settings(
        path,
        **texts,
        memory_limit=None if limit is None else parse_bytes(limit),
        verify_checksums=checksums,
        compact_small_files=_count(call, "compact_small_files", small_files),
        profile=profile,
        retries=retries,
        lint_ignore=lint_ignore,
        openlineage=openlineage,
        environment=environment,
    )


def _parsed(call: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(call, f"{FILE} does not parse: {error}", "Correct that line.") from None


def _openlineage(call: str, values: object) -> OpenLineage | None:
    if values is None:
        return None
    table = "[openlineage]"
    if not isinstance(values, dict):
        fix = f'Write a table: {table}, and below it path = "events.jsonl".'
        raise ProjectError(call, f"{FILE}: openlineage is {values!r}", fix)
    names = [field.name for field in fields(OpenLineage)]
    for name, value in values.items():
        if name not in names:
            found = f"{FILE}: {table} has an unknown setting {name!r}"
            raise ProjectError(call, found, nearest(name, names))
        if not isinstance(value, str) or not value:
            fix = f'Write a text: {name} = "..."'
            raise ProjectError(call, f"{FILE}: {name} of {table} is {value!r}", fix)
        _check_reference_texts(call, f"{name} of {table}", value)
        if has_credentials(value) or (name == "api_key" and not has_references(value)):
            fix = 'Take it from an environment variable: api_key = "${env:OPENLINEAGE_API_KEY}".'
            raise ProjectError(call, f"{FILE}: {name} of {table} contains a credential", fix)
    made = OpenLineage(**values)
    if (made.path is None) == (made.url is None):
        both = "neither path nor url" if made.path is None else "both path and url"
        fix = 'Write path = "events.jsonl" for a file, or url = "https://..." for a host.'
        raise ProjectError(call, f"{FILE}: {table} has {both}", fix)
    _duration(call, f"timeout of {table}", made.timeout)
    if not made.timeout_seconds:
        found = f"{FILE}: timeout of {table} {made.timeout!r} leaves no time to send an event"
        raise ProjectError(call, found, 'Write a duration, such as timeout = "5s".')
    return made


def _check_decoded(call: str, path: Path) -> None:
    """Check that the folder's name can be passed on, as text, to delta-rs and to Spark."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ProjectError(
            call,
            "Python cannot decode the name of the folder in this locale",
            "Set the environment variable PYTHONUTF8=1, or LC_ALL=C.UTF-8.",
        ) from None


def _near_project(path: Path) -> str:
    """Return what to do where no project is: the project around the folder, or below it."""
    below = path.iterdir() if path.is_dir() else ()
    found = [each for each in (*path.parents, *below) if (each / FILE).is_file()]
    if found:
        return f"There is a project in {found[0]}: go there, or pass --project {found[0]}."
    return (
        "Go to the project's folder (or pass --project), or create a project with "
        "`featurestore init`."
    )


def _switch(call: str, name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ProjectError(call, f"{FILE}: {name} is {value!r}", f"Write {name} = true, or false.")
    return value


# Settings that may have references to environment variables.
_ADDRESSES = ("root", "definitions", "spark_conf")
# Settings that are no texts.
_OTHERS = (
    *("verify_checksums", "profile", "retries", "compact_small_files"),
    *("lint_ignore", "openlineage", "environments"),
)


def _count(call: str, name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        example = getattr(Settings, name)
        fix = f"Write a whole number: {name} = {example}, or 0."
        raise ProjectError(call, f"{FILE}: {name} is {value!r}", fix)
    return value


def _texts(call: str, name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        fix = f'Write a list of texts: {name} = ["unused", "no-owner:payments"].'
        raise ProjectError(call, f"{FILE}: {name} is {value!r}", fix)
    return tuple(value)


def _duration(call: str, name: str, value: str) -> None:
    try:
        parse_duration(value)
    except RequestError as error:
        raise ProjectError(call, f"{FILE}: {name} {value!r} is {error.found}", error.fix) from None


def _check_reference_texts(call: str, name: str, value: str) -> None:
    if problem := reference_problem(value):
        fix = "Write ${env:NAME}, with letters, digits and _ in the name."
        raise ProjectError(call, f"{FILE}: {name}: {problem}", fix)


def _check_references(call: str, name: str, value: str) -> None:
    _check_reference_texts(call, name, value)
    if name not in _ADDRESSES and has_references(value):
        found = f"{FILE}: {name} is {value!r}, a reference"
        fix = f"Write the value itself: references are for {', '.join(_ADDRESSES)}."
        raise ProjectError(call, found, fix)


def _checked(call: str, values: dict[str, Any]) -> dict[str, str]:
    names = ("project", "root", "definitions", "spark_conf", "memory_limit", "retry_delay")
    for name, value in values.items():
        if name not in names:
            raise ProjectError(
                call,
                f"{FILE} has an unknown setting {name!r}",
                nearest(name, (*names, *_OTHERS)),
            )
        if isinstance(value, str) and has_credentials(value):
            raise ProjectError(call, f"{FILE}: {name} contains a credential", WITHOUT_CREDENTIALS)
        if isinstance(value, str):
            _check_references(call, name, value)
        if not isinstance(value, str) or not value:
            raise ProjectError(
                call, f"{FILE}: {name} is {value!r}", f'Write a text: {name} = "..."'
            )
    if "project" not in values:
        raise ProjectError(
            call, f"{FILE} has no project name", 'Add the line: project = "my_project"'
        )
    if not values["project"].replace("_", "a").replace("-", "a").isalnum():
        raise ProjectError(
            call,
            f"{FILE}: the project's name is {values['project']!r}",
            "Use letters, digits, - and _: the name becomes a folder's name.",
        )
    if "retry_delay" in values:
        _duration(call, "retry_delay", values["retry_delay"])
    return values
