"""The origin of a definition: its file and line, which every problem names."""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = str(Path(__file__).parent)


@dataclass(frozen=True)
class Origin:
    """A line of a source file.

    Args:
        file: The file's path.
        line: The line's number, from 1.

    Example:
        >>> print(Origin("feature_defs/fraud.py", 12))
        feature_defs/fraud.py:12
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def origin() -> Origin:
    """Return the line that called the running constructor, outside of this package.

    Example:
        >>> origin().line > 0
        True
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return Origin(frame.f_code.co_filename, frame.f_lineno)


def origin_of(declared: object) -> Origin:
    """Return the origin of a declared object.

    Raises:
        TypeError: The object has no origin: no user declared it.

    Example:
        >>> origin_of(Origin("views.py", 3))
        Traceback (most recent call last):
            ...
        TypeError: Origin was not declared by the user
    """
    line = getattr(declared, "origin", None)
    if not isinstance(line, Origin):
        raise TypeError(f"{type(declared).__name__} was not declared by the user")
    return line


def set_origin(declared: object, new: Origin) -> None:
    """Set the origin of a declared object; equality and fingerprints ignore it.

    This is the only change that a frozen definition allows. The loader shortens paths by it, and
    the registry restores stored origins.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="data/paid", timestamp_field="at")
        >>> set_origin(paid, Origin("feature_defs/sources.py", 3))
        >>> print(paid.origin)
        feature_defs/sources.py:3
    """
    object.__setattr__(declared, "origin", new)


def _is_ours(filename: str) -> bool:
    # dataclass-made __init__ methods carry the file name "<string>"; replace() calls them.
    return filename.startswith((_PACKAGE, "<string>", dataclasses.__file__))
