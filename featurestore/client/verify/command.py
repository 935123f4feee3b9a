"""The command that explains the features of one row."""

import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from featurestore.query.selection import Selection, selection_names


def explain_command(features: Selection, row: Mapping[str, Any], moment: datetime | None) -> str:
    """Return the shell command that explains the features of a row.

    Args:
        features: What the call selects.
        row: The row's keys and request values.
        moment: The row's moment. None if it has none.

    Example:
        >>> explain_command(["a:x", "b"], {"id": 7, "price": None}, None)
        'featurestore explain a:x,b id=7,price'
    """
    names = ",".join(selection_names(features))
    pairs = ",".join(
        name if value is None else f"{name}={_shell_text(value)}" for name, value in row.items()
    )
    at = [] if moment is None else ["--at", moment.isoformat()]
    return shlex.join(["featurestore", "explain", names, pairs, *at])


def _shell_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
