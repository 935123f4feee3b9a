"""The rule of types: every field has one of the store's types, within its limits."""

from collections.abc import Iterator, Sequence

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import SCALARS, Array, Decimal, Field, Scalar
from featurestore.definitions.rules.issue import Issue, label
from featurestore.definitions.rules.names import declared_views
from featurestore.errors import nearest

_SCALAR_NAMES = tuple(scalar.name for scalar in SCALARS)
_NAMES = (*_SCALAR_NAMES, "Decimal(precision, scale)", "Array(item)")


def fields_have_known_types(manifest: Manifest) -> Iterator[Issue]:
    """Yield fields of an unknown type, and decimals outside their limits."""
    owners: list[tuple[object, Sequence[Field]]] = [
        *((entity, entity.join_keys) for entity in manifest.entities),
        *(
            (source, source.schema)
            for source in manifest.sources
            if not isinstance(source, DeltaSource)
        ),
        *((view, view.schema) for view in declared_views(manifest)),
    ]
    for owner, columns in owners:
        for column in columns:
            if problem := type_problem(column.dtype):
                yield Issue(column.origin, f"{label(owner)}: {label(column)}: {problem}")


RULES = (fields_have_known_types,)


def type_problem(dtype: object) -> str:
    """Return what is wrong with a field's type and what to write, or ``""`` for a valid type.

    Example:
        >>> type_problem(Decimal(39, 2))
        'the type Decimal(39, 2) is wrong. A precision is 1 to 38.'
        >>> type_problem("Flota64")
        "unknown type 'Flota64'. Did you mean 'Float64'?"
    """
    if isinstance(dtype, Array):
        return type_problem(dtype.item)
    if isinstance(dtype, Decimal):
        return _decimal_problem(dtype)
    if dtype in SCALARS and isinstance(dtype, Scalar):
        return ""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
    if name in ("Decimal", "Array"):
        return f"the type {name} lacks its arguments. Write e.g. Decimal(10, 2) or Array(Float32)."
    if name in _SCALAR_NAMES:
        return f"the type is the text {dtype!r}. Write the constant: fs.{name}."
    return f"unknown type {name!r}. {nearest(name, _NAMES)}"


def _decimal_problem(dtype: Decimal) -> str:
    numbers = (dtype.precision, dtype.scale)
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        return f"the type {dtype} is wrong. Precision and scale are whole numbers."
    if not 1 <= dtype.precision <= 38:
        return f"the type {dtype} is wrong. A precision is 1 to 38."
    if not 0 <= dtype.scale <= dtype.precision:
        return f"the type {dtype} is wrong. A scale is 0 to the precision."
    return ""
