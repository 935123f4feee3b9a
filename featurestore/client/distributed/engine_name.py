"""The names of engines: what ``engine=`` may be."""

from featurestore.errors import RequestError, nearest

ENGINES = ("local", "spark", "auto", "scan", "shuffle")
"""``"spark"`` and ``"auto"`` choose themselves; the other names are for those who know."""


def require_engine(call: str, engine: str) -> None:
    """Check the name of an engine.

    Args:
        call: The user's call, for messages.
        engine: The name.

    Raises:
        RequestError: There is no such engine. The message offers near names.

    Example:
        >>> require_engine("call()", "sparc")
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: call(): engine is 'sparc'. Did you mean 'spark'?
    """
    if engine not in ENGINES:
        raise RequestError(call, f"engine is {engine!r}", nearest(engine, ENGINES))
