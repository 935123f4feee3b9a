"""What `FeatureStore` imports when it is first needed, so that status and plan stay quick."""

import importlib
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from featurestore.definitions.manifest import Manifest
from featurestore.definitions.rules import Issue
from featurestore.errors import SetupError
from featurestore.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def answers() -> ModuleType:
    """Return what answers: it needs Arrow's compute functions and the kernel.

    Example:
        >>> answers().__name__
        'featurestore.client.answers'
    """
    return importlib.import_module("featurestore.client.answers")


def sql_issues(manifest: Manifest) -> Iterator[Issue]:
    """Yield what is wrong with SQL on-demand expressions; DuckDB is imported only for such.

    Raises:
        SetupError: It is not installed.

    Example:
        >>> list(sql_issues(Manifest()))
        []
    """
    if any(isinstance(view.transform, Mapping) for view in manifest.on_demand_views):
        rules = importlib.import_module("featurestore.engines.on_demand.sql_rules")
        yield from rules.sql_issues(manifest)


def spark_module(name: str, asked: str) -> ModuleType:
    """Return a module that needs pyspark, which readers need not have installed.

    Args:
        name: The module's name.
        asked: What needs it.

    Raises:
        SetupError: pyspark or delta-spark is not installed.

    Example:
        >>> spark_module("featurestore.errors", "ask").__name__
        'featurestore.errors'
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("pyspark", "delta"):
            raise
        raise SetupError(
            asked,
            f"{error.name} is not installed",
            "Install it: pip install 'featurestore[spark]'.",
        ) from None


def spark_session(settings: Settings, given: "SparkSession | None") -> "SparkSession":
    """Return the user's session if it will do, or the store's own, started if need be.

    Args:
        settings: The project's.
        given: The user's session; None for one of the store's own.
    """
    module = spark_module("featurestore.engines.spark.session", "start Spark")
    if given is not None:
        return module.accept(given)  # type: ignore[no-any-return]  # lazy module
    state = settings.folder / ".featurestore"
    return module.session(settings.spark_conf_file, warehouse=state)  # type: ignore[no-any-return]  # lazy module
