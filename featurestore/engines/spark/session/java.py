"""The Java that Spark runs on: found by JAVA_HOME, then by PATH."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from featurestore.errors import SetupError

OLDEST = 17

_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_ASKED = "start Spark"
_FIX = (
    f"Install Java {OLDEST} or newer, e.g. `apt-get install openjdk-{OLDEST}-jre-headless`, "
    "or set JAVA_HOME to one."
)


@dataclass(frozen=True)
class Java:
    """A Java that was found.

    Args:
        home: Its folder, as JAVA_HOME would name it.
        version: Its major version.

    Example:
        >>> Java(Path("/usr/lib/jvm/java-17"), version=17).version
        17
    """

    home: Path
    version: int


def find_java(environ: Mapping[str, str] = os.environ) -> Java:
    """Return the Java to start Spark with: JAVA_HOME's, unless it is too old and PATH has a newer.

    Args:
        environ: Where JAVA_HOME and PATH are looked up.

    Raises:
        SetupError: There is no Java, or it is too old.

    Example:
        >>> find_java({"PATH": ""})
        Traceback (most recent call last):
        featurestore.errors.SetupError: start Spark: no Java by JAVA_HOME or on PATH. Install...
    """
    found = []
    for program in _programs(environ):
        version = java_version(program)
        if version is not None and version >= OLDEST:
            return Java(program.resolve().parents[1], version)
        found.append(
            f"Java {version} at {program}" if version else f"{program}, which does not run"
        )
    raise SetupError(_ASKED, "; ".join(found) or "no Java by JAVA_HOME or on PATH", _FIX)


def java_version(program: Path) -> int | None:
    """Return the major version that a ``java`` program tells, or None if it does not run.

    Example:
        >>> java_version(Path("/nowhere/java")) is None
        True
    """
    try:
        completed = subprocess.run(
            [str(program), "-version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(completed.stderr + completed.stdout)
    return int(match[1]) if match else None


def _programs(environ: Mapping[str, str]) -> Iterator[Path]:
    home = environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "java"
    on_path = shutil.which("java", path=environ.get("PATH", ""))
    if on_path:
        yield Path(on_path)
