"""The rule of arguments: each has the Python type of its annotation."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.model.references import parts
from featurestore.definitions.model.types import DataType, Field
from featurestore.definitions.origin import origin_of
from featurestore.definitions.rules.issue import Issue, label
from featurestore.definitions.type_hints import fits, problem


def arguments_have_their_types(manifest: Manifest) -> Iterator[Issue]:
    """Yield arguments of a wrong Python type, such as a number instead of a text.

    Example:
        >>> from featurestore.definitions.model.entity import Entity
        >>> [issue] = arguments_have_their_types(Manifest.of([Entity("card", join_keys=None)]))
        >>> issue.message
        "entity 'card': join_keys is None. Write a tuple of Field."
    """
    for definition in manifest.definitions:
        yield from _issues(definition, label(definition))


def well_formed(manifest: Manifest) -> Manifest:
    """Return the definitions whose arguments have the right types, at any depth.

    Example:
        >>> from featurestore.definitions.model.entity import Entity
        >>> well_formed(Manifest.of([Entity("card", join_keys=None)])).entities
        ()
    """
    checked: dict[int, bool] = {}
    return Manifest.of([each for each in manifest.definitions if _is_well_formed(each, checked)])


def _is_well_formed(declared: object, checked: dict[int, bool]) -> bool:
    """Return whether all arguments fit, at any depth; many services use the same views.

    Args:
        declared: A declared object.
        checked: The results for objects that were checked before, by their identities.
    """
    if id(declared) not in checked:
        checked[id(declared)] = not any(_issues(declared, "")) and all(
            _is_well_formed(part, checked) for part in parts(declared)
        )
    return checked[id(declared)]


def _issues(declared: object, owner: str) -> Iterator[Issue]:
    """Yield the wrong arguments of an object, and of its parts that are not definitions."""
    name: object = declared.name if isinstance(declared, Field) else None
    if isinstance(declared, Field) and isinstance(name, DataType):
        fix = f"Write fs.Field({declared.dtype!r}, fs.{name})."
        text = f"{owner}: a field's name and type have changed places. {fix}"
        yield Issue(declared.origin, text)
        return
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
    # Rules of their own check dtype=, for which they offer near names, and each of the windows.
    own: dict[type, dict[str, Any]] = {
        Field: {"dtype": Any},
        Aggregation: {"windows": tuple[Any, ...]},
    }
    return get_type_hints(kind) | own.get(kind, {})
