"""The objects inside of declared objects: their parts, and the definitions that they use."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass

from featurestore.definitions.model.manifest import Definition, Manifest


def parts(value: object) -> Iterator[object]:
    """Yield the declared objects directly inside an object, also in tuples and lists.

    Example:
        >>> from featurestore.definitions.model.entity import Entity
        >>> from featurestore.definitions.model.types import Field, Int64
        >>> [part.name for part in parts(Entity("card", join_keys=(Field("id", Int64),)))]
        ['id']
    """
    for member in _members(value):
        if isinstance(member, tuple | list):
            yield from parts(member)
        elif hasattr(member, "origin"):
            yield member


def referenced_objects(roots: Iterable[object]) -> list[object]:
    """Return the roots and all objects inside of them, each once, owners before their parts.

    Example:
        >>> from featurestore.definitions.model.entity import Entity
        >>> from featurestore.definitions.model.types import Field, Int64
        >>> len(referenced_objects([Entity("card", join_keys=(Field("id", Int64),))]))
        2
    """
    seen: dict[int, object] = {}
    pending = deque(roots)
    while pending:
        declared = pending.popleft()
        if id(declared) not in seen:
            seen[id(declared)] = declared
            pending.extend(parts(declared))
    return list(seen.values())


def complete(manifest: Manifest) -> Manifest:
    """Return the manifest together with the definitions that its views and services use.

    Example:
        >>> complete(Manifest()).views
        ()
    """
    return manifest_of(manifest.definitions)


def manifest_of(roots: Iterable[object]) -> Manifest:
    """Return the manifest of all definitions among the roots and inside of them.

    Example:
        >>> manifest_of([]).services
        ()
    """
    objects = referenced_objects(roots)
    return Manifest.of([each for each in objects if isinstance(each, Definition)])


def _members(value: object) -> Iterable[object]:
    if isinstance(value, tuple | list):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name, None) for field in fields(value)]
    return ()
