"""Delta's jars: resolved once into a cache folder, and taken from there without a network.

Only what pyspark does not ship is kept: Spark's own resolution of Delta copies 33 jars (87 MB), of
which these five (13 MB) are enough; pyspark's RoaringBitmap serves deletion vectors too.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from functools import cache
from importlib import metadata, util
from pathlib import Path

from filelock import FileLock

from featurestore.engines.spark.session.java import find_java
from featurestore.errors import SetupError, nearest

CACHE_VARIABLE = "FEATURESTORE_CACHE"

_INSTALL = "Install Spark's part: `pip install 'featurestore[spark]'`."
_RECORD = "jars.json"
_SCALA = "2.13"
# All that Delta asks for and pyspark ships, or that only catalogs and geometry need.
_EXCLUDED = "com.*:*,org.*:*,javax.*:*,commons-*:*,io.airlift:*,io.unitycatalog:*"
# How a site reaches its own mirror.
_MIRROR_SETTINGS = ("spark.jars.ivySettings", "spark.jars.repositories")
_SECONDS = 600
_SIZE = "13 MB"
_FIX_RESOLUTION = (
    "Run once with a network, or name your mirror by spark.jars.repositories or "
    "spark.jars.ivySettings in the Spark settings, or fill the cache elsewhere and name it by "
    f"{CACHE_VARIABLE}."
)


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for what is resolved once: the variable's, XDG's, or ``~/.cache``'s.

    Example:
        >>> cache_folder({"XDG_CACHE_HOME": "/var/cache"}).as_posix()
        '/var/cache/featurestore'
        >>> cache_folder({"FEATURESTORE_CACHE": "cache"}).as_posix()
        'cache'
    """
    if environ.get(CACHE_VARIABLE):
        return Path(environ[CACHE_VARIABLE])
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "featurestore"


def delta_jars(
    cache: Path | None = None, settings: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Return the paths of Delta's jars, fetching them if the cache has not got them whole.

    Fetching takes a network and some seconds, so it is reported on stderr. Safe for several
    processes at once. A whole cache is only read, so it may be a read-only folder that somebody
    else filled.

    Args:
        cache: The cache folder; `cache_folder` by default.
        settings: Spark settings; of these only the ones that name a site's own mirror are used.

    Raises:
        SetupError: pyspark or delta-spark is not installed, or the jars cannot be resolved.
    """
    spark, delta = _installed("pyspark"), _installed("delta-spark")
    folder = (cache or cache_folder()).resolve() / "jars" / f"spark-{spark}-delta-{delta}"
    coordinate = f"io.delta:delta-spark_{'.'.join(spark.split('.')[:2])}_{_SCALA}:{delta}"
    return _fetched(folder, Fetch(coordinate, _EXCLUDED), settings)


@dataclass(frozen=True)
class Package:
    """A package of jars that some projects need.

    Args:
        coordinate: Its Maven coordinate, with ``{spark}`` for the version of pyspark; several are
            separated by commas.
        excluded: What it asks for and pyspark ships, in the form of ``spark.jars.excludes``.
        size: Its size, for people.
    """

    coordinate: str
    _: KW_ONLY
    excluded: str
    size: str


PACKAGES: Mapping[str, Package] = {
    # Kafka's client and Spark's reader of it.
    "kafka": Package(
        "org.apache.spark:spark-sql-kafka-0-10_2.13:{spark}",
        excluded="org.apache.hadoop:*,org.scala-lang:*,org.scala-lang.modules:*,org.slf4j:*,"
        "at.yawk.lz4:*,org.xerial.snappy:*,com.google.code.findbugs:*,org.lz4:*,"
        "com.github.luben:*,org.apache.spark:spark-tags_2.13",
        size="11 MB",
    ),
    # Hadoop's file system for S3, of the version that pyspark ships. It asks for a bundle of all
    # of Amazon's clients (686 MB), of which these are enough, with the HTTP clients of pyspark.
    "s3": Package(
        "org.apache.hadoop:hadoop-aws:3.5.0,software.amazon.awssdk:s3:2.35.4,"
        "software.amazon.awssdk:s3-transfer-manager:2.35.4,software.amazon.awssdk:sts:2.35.4,"
        "software.amazon.awssdk:apache-client:2.35.4",
        excluded="software.amazon.awssdk:bundle,io.netty:*,org.slf4j:*,commons-logging:*,"
        "commons-codec:*,org.apache.httpcomponents:*,org.wildfly.openssl:*",
        size="13 MB",
    ),
}
"""What `featurestore setup --with NAME` fetches, by name."""


def package_jars(
    name: str, cache: Path | None = None, settings: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Return the paths of a package's jars, fetching them as `delta_jars` does.

    Args:
        name: The package, one of `PACKAGES`.
        cache: The cache folder; `cache_folder` by default.
        settings: Spark settings; of these only the ones that name a site's own mirror are used.

    Raises:
        SetupError: There is no such package, pyspark is not installed, or the jars cannot be
            resolved.
    """
    if name not in PACKAGES:
        call = f"featurestore setup --with {name}"
        raise SetupError(call, "there is no such package", nearest(name, PACKAGES))
    package, folder = PACKAGES[name], _package_folder(name, cache)
    fetch = Fetch(package.coordinate.format(spark=_installed("pyspark")), package.excluded)
    return _fetched(
        folder, replace(fetch, what=f"the jars for {name}", size=package.size), settings
    )


def has_package(name: str) -> bool:
    """Return whether the jars of a package are in the cache.

    Args:
        name: The package, one of `PACKAGES`.

    Raises:
        SetupError: pyspark is not installed.
    """
    return bool(_recorded(_package_folder(name)))


def session_jars(
    cache: Path | None = None, settings: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Return the jars of a session: Delta's, and those of each package in the cache.

    Args:
        cache: The cache folder; `cache_folder` by default.
        settings: Spark settings; of these only the ones that name a site's own mirror are used.

    Raises:
        SetupError: As `delta_jars`.
    """
    delta = delta_jars(cache, settings)
    return (*delta, *(jar for name in PACKAGES for jar in _recorded(_package_folder(name, cache))))


def spark_home() -> Path:
    """Return the folder of the installed pyspark, without importing it.

    Raises:
        SetupError: pyspark is not installed.
    """
    spec = util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise SetupError("start Spark", "pyspark is not installed", _INSTALL)
    return Path(spec.origin).parent


@dataclass(frozen=True)
class Fetch:
    """What to resolve: a Maven coordinate, what pyspark ships of it, and its name for people."""

    coordinate: str
    excluded: str
    what: str = "Delta's jars for Spark"
    size: str = _SIZE

    @property
    def call(self) -> str:
        """The operation, for messages."""
        return f"resolve {self.what}"


def _package_folder(name: str, cache: Path | None = None) -> Path:
    return (cache or cache_folder()).resolve() / "jars" / f"spark-{_installed('pyspark')}-{name}"


def _fetched(folder: Path, fetch: Fetch, settings: Mapping[str, str] | None) -> tuple[Path, ...]:
    if jars := _recorded(folder):
        return jars
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{folder.name}.lock")):
            return _recorded(folder) or _resolve(fetch, folder, settings or {})
    except OSError as error:
        raise SetupError(
            fetch.call,
            f"the cache cannot be written ({error})",
            f"Set {CACHE_VARIABLE} to a folder.",
        ) from error


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        raise SetupError("start Spark", f"{package} is not installed", _INSTALL) from None


def _recorded(folder: Path) -> tuple[Path, ...]:
    """Return the folder's jars if each is as it was recorded, else nothing."""
    try:
        record = json.loads((folder / _RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return ()
    jars = tuple(folder / name for name in sorted(record))
    whole = all(jar.is_file() and _print(jar) == record[jar.name] for jar in jars)
    return jars if whole else ()


def _print(jar: Path) -> dict[str, str | int]:
    found = jar.stat()
    return {"bytes": found.st_size, "sha256": _digest(jar, found.st_size, found.st_mtime_ns)}


@cache
def _digest(jar: Path, size: int, changed_ns: int) -> str:
    """Return the hash of a file. A start of Spark asks several times for 37 MB of jars."""
    with jar.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _resolve(fetch: Fetch, folder: Path, settings: Mapping[str, str]) -> tuple[Path, ...]:
    """Resolve beside ``folder``, so that one rename puts the whole of it in place."""
    _report(f"fetching {fetch.what} ({fetch.size}, only this once) into\n  {folder}")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".resolving-") as work:
        _run_ivy(fetch, Path(work), settings)
        made = Path(work) / "jars"
        record = {jar.name: _print(jar) for jar in sorted(made.glob("*.jar"))}
        (made / _RECORD).write_text(json.dumps(record, indent=1), "utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    megabytes = sum(jar.stat().st_size for jar in folder.glob("*.jar")) / 1e6
    _report(f"fetched {len(record)} jars, {megabytes:.1f} MB, in {time.monotonic() - start:.0f} s")
    return _recorded(folder)


def _report(text: str) -> None:
    # Not through logging: it is off by default, and the first run waits for this.
    sys.stderr.write(f"featurestore: {text}\n")
    sys.stderr.flush()


def _run_ivy(fetch: Fetch, work: Path, settings: Mapping[str, str]) -> None:
    """Let Spark's own Ivy resolve: `spark-submit` of a program that does nothing."""
    program = work / "nothing.py"
    program.write_text("", "utf-8")
    conf = {key: settings[key] for key in _MIRROR_SETTINGS if key in settings}
    conf |= {
        "spark.master": "local[1]",
        "spark.jars.packages": fetch.coordinate,
        "spark.jars.ivy": str(work),
        "spark.jars.excludes": fetch.excluded,
    }
    command = [str(spark_home() / "bin" / "spark-submit")]
    command += [part for key, value in conf.items() for part in ("--conf", f"{key}={value}")]
    environ = {
        **os.environ,
        "JAVA_HOME": str(find_java().home),
        "SPARK_HOME": str(spark_home()),
    }
    try:
        completed = subprocess.run(
            [*command, str(program)],
            env=environ, capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
        failed, output = completed.returncode != 0, completed.stdout + completed.stderr
    except subprocess.TimeoutExpired:
        failed, output = True, f"no answer within {_SECONDS} seconds"
    if failed or not any((work / "jars").glob("*.jar")):
        raise SetupError(fetch.call, _reason(fetch.coordinate, output), _FIX_RESOLUTION)


def _reason(coordinate: str, output: str) -> str:
    lines = (line.strip() for line in output.splitlines())
    reasons = [line for line in lines if "unresolved dependency" in line or "Exception" in line]
    reason = reasons[0].lstrip(": ")[:200] if reasons else output[-200:]
    return f"{coordinate} was not found ({reason})"
