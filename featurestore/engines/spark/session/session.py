"""The Spark session: one that featurestore starts from settings, or the user's, only checked."""

import logging
import os
import re
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from py4j.java_gateway import JavaGateway
from py4j.protocol import Py4JJavaError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException, PySparkRuntimeError
from pyspark.java_gateway import launch_gateway
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.session.archive import archive_file, with_archive
from featurestore.engines.spark.session.child import TIMES_IN_FILES
from featurestore.engines.spark.session.executors import is_cluster, watch_executors
from featurestore.engines.spark.session.interrupt import interrupt_at_end
from featurestore.engines.spark.session.jars import session_jars, spark_home
from featurestore.engines.spark.session.java import find_java
from featurestore.engines.spark.session.log import redacted_log
from featurestore.engines.spark.session.s3 import s3_settings
from featurestore.engines.spark.session.versions import version_problems
from featurestore.errors import ProjectError, SetupError

EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
LOG_NAME = "spark.log"

_CATALOG = (
    "spark.sql.catalog.spark_catalog",
    "org.apache.spark.sql.delta.catalog.DeltaCatalog",
)
_EXTENSIONS = "spark.sql.extensions"
_ZONE = "spark.sql.session.timeZone"
_CALL = "start Spark"
_USE = "use the Spark session of the call (spark=) or of this process"
_NEWER = (
    "Use a newer session: `pip install 'featurestore[spark]'` has the versions that are tested. "
    "Without spark=, featurestore starts one with them."
)
_UTC = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z", "+00:00"})
_PYTHON = "spark.pyspark.python"
# Spark's script first starts a small Java, only to write the command of the real one.
_LAUNCHER, _QUICK = "SPARK_LAUNCHER_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_LOCALES = ("LC_ALL", "LC_CTYPE", "LANG")  # the first that is set decides the encoding of names
_SETTING = re.compile(r"\s*(spark\.[^\s=:]+)(?:\s*[=:]\s*|\s+)(\S.*?)\s*")
# These loggers print every error as JSON on stderr before it is raised.
_ERROR_LOGGERS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
_NO_OVERRIDES: Mapping[str, str] = MappingProxyType({})
_starting = threading.Lock()
# The stores that use the session that we started; the process itself if somebody else uses it.
_users: "weakref.WeakSet[object]" = weakref.WeakSet()
_PROCESS = threading.Event()


def session(
    conf_file: Path | None = None,
    *,
    warehouse: Path,
    overrides: Mapping[str, str] = _NO_OVERRIDES,
    user: object = _PROCESS,
) -> SparkSession:
    """Return this process's Spark session, starting one if there is none.

    Spark's own output goes to ``spark.log`` in ``warehouse``, without credentials. A running
    session of this process is used as if the user had passed it: see `accept`.

    Args:
        conf_file: Settings that replace the packaged defaults, in the form of
            ``spark-defaults.conf``.
        warehouse: A folder of the project's state, for Spark's own files.
        overrides: Settings that replace those of the file.
        user: The store that will `release` the session. By default it runs until the process
            ends.

    Raises:
        ProjectError: The file is missing, or has a line that is no setting.
        SetupError: Java, pyspark or Delta's jars are missing, or the running session does not fit.
    """
    conf = read_settings(conf_file) | dict(overrides)
    with _starting, spark_errors(_CALL, SetupError):
        running = _running()
        if running is None:
            _users.clear()
            running = _start(conf, warehouse.resolve())
            _users.add(user)
        elif _users:  # we started it
            _users.add(user)
        return accept(running)


def release(user: object) -> None:
    """Stop the session that `session` started and its Java process, if nobody else uses it.

    Args:
        user: The store that used the session.

    Example:
        >>> release(object())
    """
    with _starting:
        if user not in _users:
            return
        _users.discard(user)
        running = _running()
        if not _users and running is not None:
            running.stop()
            _end_java()


def _end_java() -> None:
    """End the Java process, which would otherwise keep its memory as long as this process runs."""
    gateway = SparkContext._gateway
    SparkContext._gateway = SparkContext._jvm = None
    if gateway is None:
        return
    gateway.shutdown()
    process = getattr(gateway, "proc", None)
    if process is not None:
        process.stdin.close()  # Java ends when this pipe is closed
        process.wait()


def accept(spark: SparkSession) -> SparkSession:
    """Return ``spark`` unchanged, after a check that it can be used.

    Raises:
        SetupError: The session is stopped, its time zone is not UTC, it has no Delta, or Spark or
            Delta is older than what is supported.
    """
    zone, extensions = _zone_and_extensions(spark)
    if old := version_problems(spark):
        raise SetupError(_USE, "; ".join(old), _NEWER)
    problems = [
        *([] if zone in _UTC else [f"its time zone is {zone}"]),
        *([] if EXTENSION in extensions else ["it has no Delta extension"]),
        *([] if _has_jars(spark) else ["its Java process has no Delta jars"]),
    ]
    if not problems:
        return spark
    line = f'.config("{_ZONE}", "UTC")' if zone not in _UTC else ""
    if EXTENSION not in extensions:
        line += f'.config("{_EXTENSIONS}", "{EXTENSION}").config("{_CATALOG[0]}", "{_CATALOG[1]}")'
    fix = f"Add to its builder: {line}"
    if problems != [f"its time zone is {zone}"]:
        fix = (
            "Build it in a new Python process with "
            "SparkSession.builder.config(map=featurestore.spark_config()).getOrCreate(). "
            f"These settings are Delta's jars{', and ' if line else ''}{line}. Or start no "
            "session before: featurestore starts one."
        )
    raise SetupError(_USE, "; ".join(problems), fix)


def session_config() -> dict[str, str]:
    """Return what a session of the user's own needs: Delta's jars, its extension, and UTC.

    Times in files are microseconds, so that all moments fit.

    The variable PYSPARK_PYTHON is set to this Python if it has no value: pyspark takes the Python
    of its tasks from there alone, and else the first one on PATH.

    Raises:
        SetupError: pyspark or delta-spark is not installed, or the jars cannot be resolved.
    """
    jars = [str(jar) for jar in session_jars()]
    class_path = os.pathsep.join(jars)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return {
        _ZONE: "UTC",
        _EXTENSIONS: EXTENSION,
        _CATALOG[0]: _CATALOG[1],
        TIMES_IN_FILES[0]: TIMES_IN_FILES[1],
        **s3_settings(),
        "spark.driver.extraClassPath": class_path,
        "spark.executor.extraClassPath": class_path,
        # For executors on other machines, which do not have the files.
        "spark.jars": ",".join(jars),
    }


def _has_jars(spark: SparkSession) -> bool:
    """Return whether a session can load Delta's classes. A remote session is not checked."""
    context = getattr(spark, "_sc", None)
    if context is None or context._jvm is None:
        return True
    try:
        context._jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass(EXTENSION)
    except Py4JJavaError:
        return False
    return True


def read_settings(conf_file: Path | None = None) -> dict[str, str]:
    """Return the packaged default settings, replaced by those of a file.

    Raises:
        ProjectError: The file is missing, or has a line that is no setting.

    Example:
        >>> read_settings()["spark.sql.session.timeZone"]
        'UTC'
    """
    packaged = resources.files(__package__).joinpath("defaults.conf").read_text("utf-8")
    settings = _parse(packaged, "defaults.conf")
    if conf_file is None:
        return settings
    try:
        return settings | _parse(conf_file.read_text("utf-8"), str(conf_file))
    except OSError as error:
        raise ProjectError(
            f"read Spark's settings from {conf_file}",
            error.strerror or str(error),
            "Write the file, or remove `spark_conf` from featurestore.toml.",
        ) from error


def _parse(text: str, name: str) -> dict[str, str]:
    settings = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _SETTING.fullmatch(line)
        if match is None:
            raise ProjectError(
                f"read Spark's settings from {name}",
                # Without the value, which may be a credential.
                f"line {number} is no setting: it begins with {_first_word(line)!r}",
                "Write a name that begins with 'spark.', then a space and a value.",
            )
        settings[match[1]] = match[2]
    return settings


def _first_word(line: str) -> str:
    return str(re.findall(r"[^\s=:]+|.", line.strip())[0])


def _running() -> SparkSession | None:
    try:
        spark = SparkSession.active()
    except PySparkRuntimeError:
        return None
    return None if _stopped(spark) else spark


def _stopped(spark: SparkSession) -> bool:
    """Return whether a session of this process is stopped; a remote one fails when it is used."""
    context = getattr(spark, "_sc", None)
    return context is not None and context._jsc is None  # there is no public method for it


def _zone_and_extensions(spark: SparkSession) -> tuple[str, str]:
    try:
        if not _stopped(spark):
            return spark.conf.get(_ZONE) or "", spark.conf.get(_EXTENSIONS, "") or ""
        problem = "it is stopped"
    except PySparkException as error:
        problem = f"it does not answer ({str(error).splitlines()[0][:200]})"
    raise SetupError(_USE, problem, "Start a new session, or omit spark=.")


def _start(settings: dict[str, str], warehouse: Path) -> SparkSession:
    java = find_java()
    settings = with_archive(settings, archive_file(java, session_jars(settings=settings)))
    conf = SparkConf(loadDefaults=False).setAll(list(_with_jars(settings, warehouse).items()))
    warehouse.mkdir(parents=True, exist_ok=True)
    python = settings.get(_PYTHON) or os.environ.get("PYSPARK_PYTHON") or sys.executable
    environ = {
        "JAVA_HOME": str(java.home),
        "SPARK_HOME": str(spark_home()),
        "PYSPARK_PYTHON": python,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        _LAUNCHER: os.environ.get(_LAUNCHER) or _QUICK,
    } | _utf8_locale(os.environ)
    for name in _ERROR_LOGGERS:
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL)
    with _environment(environ):
        context = SparkContext(conf=conf, gateway=_gateway(conf, warehouse / LOG_NAME))
    if is_cluster(settings["spark.master"]):
        watch_executors(context, settings)
    return SparkSession(context)


def _utf8_locale(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the locale in which Java can open files of any name; none if it is UTF-8 already."""
    locale = next((environ[name] for name in _LOCALES if environ.get(name)), "")
    return {} if "utf" in locale.lower() else {"LC_ALL": "C.UTF-8"}


def _with_jars(settings: dict[str, str], warehouse: Path) -> dict[str, str]:
    jars = [str(jar) for jar in session_jars(settings=settings)]
    conf = {"spark.sql.warehouse.dir": warehouse.as_uri()} | s3_settings() | settings
    for key in ("spark.driver.extraClassPath", "spark.executor.extraClassPath"):
        conf[key] = os.pathsep.join([*filter(None, [settings.get(key)]), *jars])
    if is_cluster(settings["spark.master"]):
        # Executors on other machines do not have the jars: Spark sends them.
        conf["spark.jars"] = ",".join([*filter(None, [settings.get("spark.jars")]), *jars])
    return conf


def _gateway(conf: SparkConf, log: Path) -> JavaGateway:
    """Start the JVM with its output in a file: its log is of no use on the user's terminal."""
    running = SparkContext._gateway  # a JVM outlives its contexts, with its class path
    if running is not None:
        return _with_delta(running)
    try:
        with redacted_log(log) as output, interrupt_at_end():
            # pyspark leaves it untyped
            return launch_gateway(conf, {"stdout": output, "stderr": output})  # type: ignore[no-untyped-call]
    except PySparkRuntimeError:
        raise SetupError(
            _CALL, f"Java ended at once ({_last_line(log)})", f"Read {log}."
        ) from None


def _with_delta(gateway: JavaGateway) -> JavaGateway:
    if "delta-spark" in gateway.jvm.java.lang.System.getProperty("java.class.path"):
        return gateway
    raise SetupError(
        _CALL,
        "this Python process has a Java process that was started without Delta's jars",
        "Start a new Python process, or pass a session that has Delta as spark=.",
    )


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return next((line for line in reversed(lines) if "rror" in line), "no reason in its log")[:300]


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the JVM that starts now, and reset them afterwards."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
