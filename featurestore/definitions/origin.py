"""Where in the user's files an object was declared, so that every problem names file and line."""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = str(Path(__file__).parent)


@dataclass(frozen=True)
class Origin:
    """A place in a source file.

    Example:
        >>> print(Origin("feature_defs/fraud.py", 12))
        feature_defs/fraud.py:12
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def origin() -> Origin:
    """Return the place outside this package from which the running constructor was called.

    Example:
        >>> origin().line > 0
        True
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return Origin(frame.f_code.co_filename, frame.f_lineno)


def origin_of(declared: object) -> Origin:
    """Return the place of a declared object.

    Example:
        >>> origin_of(Origin("views.py", 3))
        Traceback (most recent call last):
            ...
        TypeError: Origin was not declared by the user
    """
    where = getattr(declared, "origin", None)
    if not isinstance(where, Origin):
        raise TypeError(f"{type(declared).__name__} was not declared by the user")
    return where


def place(declared: object, where: Origin) -> None:
    """Set the place of a declared object, which its equality and fingerprints leave out.

    The loader shortens paths with it and the registry puts back what it has kept: the one change
    that a frozen definition ever sees.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="data/paid", timestamp_field="at")
        >>> place(paid, Origin("feature_defs/sources.py", 3))
        >>> print(paid.origin)
        feature_defs/sources.py:3
    """
    object.__setattr__(declared, "origin", where)


def _is_ours(filename: str) -> bool:
    # dataclass-made __init__ methods carry the file name "<string>"; replace() calls them.
    return filename.startswith((_PACKAGE, "<string>", dataclasses.__file__))
