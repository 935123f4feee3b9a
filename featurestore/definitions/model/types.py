"""The types of keys, features and request values, and `Field`: a column's name and type."""

from dataclasses import dataclass, field

from featurestore.definitions.model.arguments import named_arguments
from featurestore.definitions.origin import Origin, origin


@dataclass(frozen=True)
class Scalar:
    """A type without parameters. Use the constants, such as `Int64`, not this class.

    Example:
        >>> print(Int64)
        Int64
    """

    name: str

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


@named_arguments
@dataclass(frozen=True)
class Decimal:
    """Exact decimal numbers of ``precision`` digits (1 to 38), ``scale`` of them after the point.

    Example:
        >>> print(Decimal(10, 2))
        Decimal(10, 2)
    """

    precision: int
    scale: int

    def __str__(self) -> str:
        return f"Decimal({self.precision}, {self.scale})"

    __repr__ = __str__


@named_arguments
@dataclass(frozen=True)
class Array:
    """A list of values of one type, e.g. an embedding.

    Example:
        >>> print(Array(Float32))
        Array(Float32)
    """

    item: "DataType"

    def __str__(self) -> str:
        return f"Array({self.item})"

    __repr__ = __str__


@dataclass(frozen=True)
class Map:
    """A map from keys to values: the type of an aggregation with ``by=``, not of a field.

    Example:
        >>> print(Map(String, Int64))
        Map(String, Int64)
    """

    key: "DataType"
    value: "DataType"

    def __str__(self) -> str:
        return f"Map({self.key}, {self.value})"

    __repr__ = __str__


DataType = Scalar | Decimal | Array | Map

Int32 = Scalar("Int32")
Int64 = Scalar("Int64")
Float32 = Scalar("Float32")
Float64 = Scalar("Float64")
Boolean = Scalar("Boolean")
String = Scalar("String")
Timestamp = Scalar("Timestamp")
Date = Scalar("Date")
Binary = Scalar("Binary")

SCALARS = (Int32, Int64, Float32, Float64, Boolean, String, Timestamp, Date, Binary)
JOIN_KEY_TYPES = (Int32, Int64, String, Boolean, Date)
INTEGERS = (Int32, Int64)
FLOATS = (Float32, Float64)


def is_number(dtype: DataType) -> bool:
    """Return whether values of the type can be added.

    Example:
        >>> is_number(Decimal(10, 2)), is_number(String)
        (True, False)
    """
    return isinstance(dtype, Decimal) or dtype in (*INTEGERS, *FLOATS)


@named_arguments
@dataclass(frozen=True)
class Field:
    """A named, typed column: a join key, a feature, or an input of an aggregation.

    Args:
        name: The column's name in the source, after the view's transform.
        dtype: One of `Int32`, `Int64`, `Float32`, `Float64`, `Boolean`, `String`, `Timestamp`,
            `Date`, `Binary`, ``Decimal(precision, scale)`` or ``Array(item)``.
        description: A description, for the registry.
        personal: Whether its values are personal data: a profile shows no single one of them.

    Example:
        >>> Field("amount", Float64).dtype
        Float64
    """

    name: str
    dtype: DataType
    description: str = field(default="", kw_only=True)
    personal: bool = field(default=False, kw_only=True)
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)
