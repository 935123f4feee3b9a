"""The digest in the head of an imported file: it says whether people changed the file."""

import re
from hashlib import sha256

from featurestore.integrations.feast.translation.translate import MARK

_MARKED = re.compile(rf"({re.escape(MARK)} \(Feast [^)\n]*\))(?:, digest ([0-9a-f]{{32}}))?\.")


def with_digest(text: str) -> str:
    """Return the text of an import with its digest in the line that says who wrote it.

    Example:
        >>> with_digest(f"{MARK} (Feast 0.67.0).")
        'Written by `featurestore import feast` (Feast 0.67.0), digest aec4...'
    """
    return _MARKED.sub(lambda found: f"{found[1]}, digest {_digest(text)}.", text, count=1)


def is_as_written(text: str) -> bool:
    """Return whether a text is exactly what an import wrote.

    Example:
        >>> written = with_digest(f"{MARK} (Feast 0.67.0).")
        >>> is_as_written(written), is_as_written(written + "#")
        (True, False)
    """
    found = _MARKED.search(text)
    if found is None or found[2] is None:
        return False
    return found[2] == _digest(_MARKED.sub(lambda mark: f"{mark[1]}.", text, count=1))


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]
