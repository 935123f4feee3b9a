"""Where in the user's files an object was declared, so that every problem names file and line."""

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


def _is_ours(filename: str) -> bool:
    # dataclass-made __init__ methods carry the file name "<string>".
    return filename.startswith((_PACKAGE, "<string>"))
