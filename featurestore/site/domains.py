"""The domain of a definition: the folder of its file."""

from functools import lru_cache
from pathlib import PurePosixPath


@lru_cache(maxsize=4_096)
def domain_of(file: str, definitions: str) -> str:
    """Return the domain of a definition: the first folder of its file below the definitions.

    A file that is in the definitions' folder itself is a domain of its own. A file that is
    anywhere else, such as in an installed package, has none.

    Args:
        file: The file of the definition, relative to the project, with ``/``.
        definitions: The folder of the definitions, relative to the project, with ``/``.

    Example:
        >>> domain_of("feature_defs/fraud/views.py", "feature_defs")
        'fraud'
        >>> domain_of("feature_defs/cards.py", "feature_defs")
        'cards'
        >>> domain_of("/usr/lib/cards.py", "feature_defs")
        ''
    """
    path, folder = PurePosixPath(file), PurePosixPath(definitions)
    if not path.is_relative_to(folder) or path == folder:
        return ""
    first, *rest = path.relative_to(folder).parts
    return first if rest else PurePosixPath(first).stem
