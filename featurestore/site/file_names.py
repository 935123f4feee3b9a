"""File names of pages: no two names share one, on any disk, and none leaves its folder."""

import re
from functools import cache
from hashlib import sha256

# Windows has devices of these names, and its disks ignore case, as those of macOS do.
_DEVICE = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9]")
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_]{0,99}")
_OTHER = re.compile(r"[^a-z0-9]+")
_READABLE = 60


@cache
def file_name(name: str) -> str:
    """Return a file name without suffix for a name, of lower-case letters, digits, _ and -.

    Names that differ have file names that differ, also on a disk that ignores case: a name with
    anything but lower-case letters, digits and underscores ends with its fingerprint, behind two
    hyphens, which no other name has.

    Args:
        name: The name of a definition, or any other text.

    Example:
        >>> file_name("amount_sum_7d"), file_name("Amount")
        ('amount_sum_7d', 'amount--49e96d7cdf58069c')
        >>> file_name("../x").startswith("x--"), file_name("con").startswith("con--")
        (True, True)
    """
    if _PLAIN.fullmatch(name) and not _DEVICE.fullmatch(name):
        return name
    readable = _OTHER.sub("-", name.lower()).strip("-")[:_READABLE].strip("-") or "name"
    return f"{readable}--{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
