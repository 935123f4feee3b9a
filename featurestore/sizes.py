"""Sizes of memory: text like ``"2GB"`` parsed to bytes, and bytes printed as text."""

import re

from featurestore.errors import ProjectError


def parse_bytes(size: int | str) -> int:
    """Return a size in bytes.

    Args:
        size: A number of bytes, or a text with a unit: kB, MB, GB, TB, or KiB, MiB, GiB, TiB.

    Raises:
        ProjectError: The text is not a size, or the size is not positive.

    Example:
        >>> parse_bytes("2GB"), parse_bytes("1.5 GiB"), parse_bytes(4096)
        (2000000000, 1610612736, 4096)
    """
    match = _SIZE.fullmatch(str(size).strip().lower())
    value = int(float(match["number"]) * _BYTES_OF[match["unit"]]) if match else 0
    if value <= 0:
        raise ProjectError(
            "set memory_limit",
            f"{size!r} is not a size of memory",
            "Write for example '2GB' or '512MiB'.",
        )
    return value


def format_bytes(size: int) -> str:
    """Return a size exactly, as a whole number of the largest unit that divides it.

    Args:
        size: In bytes.

    Example:
        >>> [format_bytes(size) for size in (480_000_000, 1_500_000, 2**30, 7)]
        ['480MB', '1500kB', '1GiB', '7B']
    """
    unit = next(unit for unit in _LARGEST_FIRST if size % _BYTES_OF[unit.lower()] == 0)
    return f"{size // _BYTES_OF[unit.lower()]}{unit}"


def format_megabytes(size: int) -> str:
    """Return a size rounded up to whole megabytes.

    A memory limit of the returned size is never smaller than ``size``.

    Args:
        size: In bytes.

    Example:
        >>> format_megabytes(7_000_000), format_megabytes(7_000_001)
        ('7MB', '8MB')
    """
    return f"{-(-size // _BYTES_OF['mb'])}MB"


def round_bytes(size: int) -> str:
    """Return a size for people, rounded to a tenth of its unit.

    Args:
        size: In bytes.

    Example:
        >>> [round_bytes(size) for size in (7, 57_547, 999_960, 2_150_000_000)]
        ['7 B', '57.5 kB', '1.0 MB', '2.1 GB']
    """
    if size < _BYTES_OF["kb"]:
        return f"{size} B"
    for unit in ("kB", "MB", "GB"):
        if (number := round(size / _BYTES_OF[unit.lower()], 1)) < 1000:
            return f"{number:,} {unit}"
    return f"{size / _BYTES_OF['tb']:,.1f} TB"


_LARGEST_FIRST = ("TB", "TiB", "GB", "GiB", "MB", "MiB", "kB", "KiB", "B")
_BYTES_OF = {
    "": 1,
    "b": 1,
    **{unit: 1000**power for power, unit in enumerate(("kb", "mb", "gb", "tb"), 1)},
    **{unit: 1024**power for power, unit in enumerate(("kib", "mib", "gib", "tib"), 1)},
}
_SIZE = re.compile(rf"(?P<number>\d+(\.\d+)?)\s*(?P<unit>{'|'.join(_BYTES_OF)})")
