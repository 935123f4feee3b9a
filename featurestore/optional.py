"""Imports of optional packages: their absence is an error that names the extra to install."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from featurestore.errors import SetupError


def optional(package: str, call: str, extra: str | None = None) -> Any:
    """Import an optional package and return it.

    Args:
        package: The package's name, or that of one of its modules.
        call: The call that needs the package, for the message.
        extra: The extra with the package; None if it has the package's name.

    Raises:
        SetupError: The package is not installed.

    Example:
        >>> optional("no_such_package", "to_x()")
        Traceback (most recent call last):
        ...
        featurestore.errors.SetupError: to_x(): no_such_package is not installed. Install it: ...
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        raise SetupError(
            call,
            f"{package} is not installed",
            f"Install it: pip install 'featurestore[{extra or package}]'.",
        ) from None


@contextmanager
def spark_extra(call: str) -> Iterator[None]:
    """Turn the absence of pyspark into an error that names the extra to install.

    Args:
        call: The call that needs pyspark, for the message.

    Raises:
        SetupError: pyspark or delta-spark is not installed.

    Example:
        >>> with spark_extra("materialize"):
        ...     import pyspark.no_such_module
        Traceback (most recent call last):
        ...
        featurestore.errors.SetupError: materialize: pyspark... is not installed. Install it: ...
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("pyspark", "delta"):
            raise
        raise SetupError(
            call,
            f"{error.name} is not installed",
            "Install it: pip install 'featurestore[spark]'.",
        ) from None
