"""What `FeatureStore` imports when it is first needed, so that status and plan stay quick."""

import importlib
from types import ModuleType

from featurestore.errors import SetupError


def answers() -> ModuleType:
    """Return what answers: it needs Arrow's compute functions and the kernel.

    Example:
        >>> answers().__name__
        'featurestore.client.answers'
    """
    return importlib.import_module("featurestore.client.answers")


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
