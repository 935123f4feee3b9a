"""References to environment variables, ``${env:NAME}``: how a secret gets into an address.

The text with the reference is what definitions, settings, the registry and fingerprints have. Its
value is looked up where the address is used, and is hidden from then on: every message of this
process has the reference in its place.
"""

import os
import re
from collections.abc import Iterator

from featurestore.credentials import hide
from featurestore.errors import SetupError

_REFERENCE = re.compile(r"\$\{env:([^{}]*)\}")
_BEGINNING = re.compile(r"\$\{\s*env\b", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def has_references(text: str) -> bool:
    """Return whether a text has a reference to an environment variable.

    Example:
        >>> has_references("s3://${env:BUCKET}/paid"), has_references("data/{a,b}.csv")
        (True, False)
    """
    return _REFERENCE.search(text) is not None


def reference_problem(text: str) -> str:
    """Return what is wrong with a text's references, as a clause; ``""`` if nothing is.

    Example:
        >>> reference_problem("s3://${env:MY-BUCKET}/paid")
        "the reference '${env:MY-BUCKET}' has no name of an environment variable"
        >>> reference_problem("s3://${env:BUCKET/paid")
        "a reference '${env:' is not closed"
    """
    for match in _REFERENCE.finditer(text):
        if not _NAME.fullmatch(match[1]):
            return f"the reference {match[0]!r} has no name of an environment variable"
    rest = _REFERENCE.sub("", text)
    if broken := _BEGINNING.search(rest):
        return f"a reference {broken[0] + ':'!r} is not closed"
    return ""


def resolve(text: str) -> str:
    """Return a text with the values of environment variables in place of their references.

    The values are hidden in all messages of this process from now on.

    Args:
        text: A path, a URL or a setting.

    Raises:
        SetupError: A variable is not set or is empty; or a reference is not well formed.

    Example:
        >>> os.environ["EXAMPLE_BUCKET"] = "shop-of-2026"
        >>> resolve("s3://${env:EXAMPLE_BUCKET}/paid")
        's3://shop-of-2026/paid'
        >>> resolve("data/paid")
        'data/paid'
    """
    if problem := reference_problem(text):
        fix = "Write ${env:NAME}, with letters, digits and _ in the name."
        raise SetupError(f"resolve {text!r}", problem, fix)
    missing = sorted({name for name in _names(text) if not os.environ.get(name)})
    if missing:
        raise SetupError(
            f"resolve {text!r}",
            f"the environment variable {' and '.join(missing)} is not set, or is empty",
            f"Set it for this process: export {missing[0]}=...",
        )
    values = {name: os.environ[name] for name in _names(text)}
    for name, value in values.items():
        hide(value, f"${{env:{name}}}")
    return _REFERENCE.sub(lambda match: values[match[1]], text)


def _names(text: str) -> Iterator[str]:
    return (match[1] for match in _REFERENCE.finditer(text))
