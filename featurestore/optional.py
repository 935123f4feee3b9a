"""Packages that the core does not install."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from featurestore.errors import SetupError


def optional(package: str, call: str) -> Any:
    """Return an optional package, imported.

    Args:
        package: Its name, which is also the name of the extra that installs it.
        call: What needs it.

    Raises:
        SetupError: It is not installed.

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
            f"Install it: pip install 'featurestore[{package}]'.",
        ) from None


@contextmanager
def spark_extra(call: str) -> Iterator[None]:
    """Let imports that need pyspark say which extra installs it.

    Args:
        call: The call that needs it, for the message.

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
