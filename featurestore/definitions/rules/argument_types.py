"""Arguments must have the Python types that the definitions' annotations say."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints

from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.model.references import parts
from featurestore.definitions.model.types import Field
from featurestore.definitions.origin import origin_of
from featurestore.definitions.rules.issue import Issue, label
from featurestore.definitions.rules.type_hints import fits, problem


def shape_issues(manifest: Manifest) -> Iterator[Issue]:
    """Yield the arguments of a wrong Python type, such as a list where a tuple is due.

    Example:
        >>> from featurestore.definitions.model.entity import Entity
        >>> [issue] = shape_issues(Manifest.of([Entity("card", join_keys=[])]))
        >>> issue.message
        "entity 'card': join_keys is a list; write a tuple: join_keys=()"
    """
    for definition in manifest.definitions:
        yield from _issues(definition, label(definition))


def well_formed(manifest: Manifest) -> Manifest:
    """Return the definitions whose arguments, and those of all they use, have right types.

    Example:
        >>> from featurestore.definitions.model.entity import Entity
        >>> well_formed(Manifest.of([Entity("card", join_keys=[])])).entities
        ()
    """
    return Manifest.of([found for found in manifest.definitions if _is_sound(found)])


def _is_sound(declared: object) -> bool:
    return not any(_issues(declared, "")) and all(_is_sound(part) for part in parts(declared))


def _issues(declared: object, owner: str) -> Iterator[Issue]:
    """Yield the wrong arguments of one object and of its parts that are no definitions."""
    for name, value, hint in _arguments(declared):
        if not fits(value, hint):
            yield Issue(origin_of(declared), f"{owner}: {problem(name, value, hint)}")
    for part in parts(declared):
        if not isinstance(part, Definition):
            yield from _issues(part, owner)


def _arguments(declared: object) -> list[tuple[str, object, object]]:
    hints = _hints(type(declared))  # type: ignore[arg-type]  # classes are hashable
    return [
        (field.name, getattr(declared, field.name, None), hints[field.name])
        for field in fields(declared)  # type: ignore[arg-type]  # parts are dataclasses
        if field.init
    ]


@cache
def _hints(kind: type) -> dict[str, Any]:
    # What is no type at all has a rule of its own, which knows the names of types.
    return get_type_hints(kind) | ({"dtype": Any} if kind is Field else {})
