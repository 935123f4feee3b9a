"""Java's class-data archive: Spark's classes in the form that Java has in memory.

A cold session loads, checks and links 20,000 classes. With an archive, Java maps a file instead.
`featurestore setup` makes it, in the cache folder beside Delta's jars. It may be removed at any
time. Java checks that the archive is its own and that of the same jars, and goes on without one
that is not.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from featurestore.engines.spark.session.jars import cache_folder, spark_home
from featurestore.engines.spark.session.java import Java

OPTIONS = "spark.driver.extraJavaOptions"
_FOLDER = "classes"
_CHOSEN = re.compile(r"-XX:(SharedArchiveFile|ArchiveClassesAtExit)=|-Xshare:off")
# The first bytes of an archive. Java writes them last.
_MAGIC = (0xF00BABA8).to_bytes(4, "little")


def archive_file(java: Java, jars: Sequence[Path], cache: Path | None = None) -> Path:
    """Return the place of the archive for a Java and its jars, whether or not there is one.

    Args:
        java: The Java.
        jars: Delta's jars. Those of Spark are known.
        cache: The cache folder; `cache_folder` by default.
    """
    parts = [*sorted((spark_home() / "jars").glob("*.jar")), *jars, *_libraries(java)]
    # With their folders: Java uses an archive only for jars at the same paths.
    facts = [(str(path), path.stat().st_size) for path in parts]
    name = hashlib.sha256(json.dumps([java.version, facts]).encode()).hexdigest()[:16]
    return (cache or cache_folder()).resolve() / _FOLDER / f"{name}.jsa"


def with_archive(settings: Mapping[str, str], archive: Path) -> dict[str, str]:
    """Return Spark's settings with the archive, if there is one and they choose none themselves.

    Args:
        settings: Spark's settings.
        archive: The place of the archive.

    Example:
        >>> with_archive({"spark.master": "local"}, Path("no/such/archive"))
        {'spark.master': 'local'}
    """
    options = settings.get(OPTIONS, "")
    if _CHOSEN.search(options) or not is_whole(archive):
        return dict(settings)
    return {**settings, OPTIONS: f"{options} {_option('SharedArchiveFile', archive)}".strip()}


def making_archive(settings: Mapping[str, str], archive: Path) -> dict[str, str]:
    """Return Spark's settings with which Java makes the archive when it ends.

    Args:
        settings: Spark's settings.
        archive: The place of the archive.

    Example:
        >>> making_archive({}, Path("a.jsa"))
        {'spark.driver.extraJavaOptions': '"-XX:ArchiveClassesAtExit=a.jsa"'}
    """
    options = settings.get(OPTIONS, "")
    return {**settings, OPTIONS: f"{options} {_option('ArchiveClassesAtExit', archive)}".strip()}


def is_whole(archive: Path) -> bool:
    """Return whether there is an archive that Java has written to its end.

    Example:
        >>> is_whole(Path("no/such/archive"))
        False
    """
    try:
        with archive.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def remove_archives(cache: Path | None = None) -> int:
    """Remove all archives of the cache folder, also of other versions, and return their number.

    Example:
        >>> remove_archives(Path("no/such/cache"))
        0
    """
    archives = list(((cache or cache_folder()) / _FOLDER).glob("*.jsa"))
    for archive in archives:
        archive.unlink(missing_ok=True)
    return len(archives)


def _option(name: str, archive: Path) -> str:
    # In quotes: Spark splits the options at spaces.
    return f'"-XX:{name}={os.fspath(archive)}"'


def _libraries(java: Java) -> list[Path]:
    """Return the files that change with each release of a Java."""
    names = ("lib/modules", "lib/server/libjvm.so", "lib/server/libjvm.dylib", "release")
    return [path for name in names if (path := java.home / name).is_file()]
