"""Packages that the core does not install."""

import importlib
from typing import Any

from featurestore.errors import SetupError


def optional(package: str, asked: str) -> Any:
    """Return an optional package, imported.

    Args:
        package: Its name, which is also the name of the extra that installs it.
        asked: What needs it.

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
            asked,
            f"{package} is not installed",
            f"Install it: pip install 'featurestore[{package}]'.",
        ) from None
