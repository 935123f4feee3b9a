"""Feast's types as ours."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

Record = Mapping[str, Any]
"""An object of JSON: one of Feast's definitions, or a part of it."""

_TYPES: Mapping[str, str] = {
    "Int32": "fs.Int32",
    "Int64": "fs.Int64",
    "Float32": "fs.Float32",
    "Float64": "fs.Float64",
    "Bool": "fs.Boolean",
    "String": "fs.String",
    "Bytes": "fs.Binary",
    "PdfBytes": "fs.Binary",
    "ImageBytes": "fs.Binary",
    "UnixTimestamp": "fs.Timestamp",
    "Json": "fs.String",
    "Uuid": "fs.String",
    "TimeUuid": "fs.String",
}
KEY_TYPES: Final = ("fs.Int32", "fs.Int64", "fs.String", "fs.Boolean", "fs.Date")
AS_TEXT: Final = ("Json", "Uuid", "TimeUuid")
"""Feast's types whose values are texts in files, and texts here."""


def dtype(feast: str, stored: str = "") -> str | None:
    """Return our type for one of Feast's.

    Args:
        feast: Feast's type, such as ``"Array(Int64)"``.
        stored: The type in the file, if it is known. It has the precision of decimals, which
            Feast's type lacks, and dates, which Feast reads as times.

    Returns:
        Python that names our type; None if there is none.

    Example:
        >>> dtype("Array(Float32)"), dtype("Decimal", "decimal128(10, 2)"), dtype("Map")
        ('fs.Array(fs.Float32)', 'fs.Decimal(10, 2)', None)
    """
    if stored.startswith("date32"):
        return "fs.Date"
    if feast == "Decimal":
        digits = re.fullmatch(r"decimal\d*\((\d+), (\d+)\)", stored)
        return f"fs.Decimal({digits[1]}, {digits[2]})" if digits else None
    if item := re.fullmatch(r"Array\((.*)\)", feast):
        inner = dtype(item[1])
        return f"fs.Array({inner})" if inner else None
    return _TYPES.get(feast)


def tags(record: Record) -> list[str]:
    """Return Feast's tags, which have a name and a value, as search terms.

    Example:
        >>> tags({"tags": {"team": "ads", "pii": ""}, "org": "shop"})
        ['org:shop', 'pii', 'team:ads']
    """
    org = {"org": record["org"]} if record.get("org") else {}
    pairs = {**record.get("tags", {}), **org}
    return sorted(f"{name}:{value}" if value else name for name, value in pairs.items())


def about(record: Record) -> dict[str, Any]:
    """Return the arguments that every definition has: description, owner and tags."""
    return {
        "description": record.get("description", ""),
        "owner": record.get("owner", ""),
        "tags": tags(record),
    }


def column_of(columns: Sequence[Record] | None, name: str) -> Record | None:
    """Return a column of a file; None if it, or all of them, are not known."""
    return next((each for each in columns or () if each["name"] == name), None)
