"""How an exchange is divided, so that its rows fit the memory of tasks."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

# Less work than this is not worth a bucket, or a task, of its own.
_LEAST_ROWS = 100_000
# The rows that a task gets may have this part of its memory; the kernel needs the rest.
_SHARE_OF_ROWS = 8
# Larger parts do not fit the caches of a core.
_ROWS_PER_PART = 400_000
# A key that is not divided has at most two times `rows_per_bucket` stored rows. They may have two
# thirds of a task's memory, so that there is some left for their spine rows.
_SHARE_OF_BUCKET = 3


@dataclass(frozen=True)
class Sizes:
    """How an exchange is divided.

    Args:
        tasks: The number of tasks.
        parts: The number of parts of each task.
        rows_per_bucket: A key with more than twice as many rows is divided into buckets.
    """

    tasks: int
    _: KW_ONLY
    parts: int
    rows_per_bucket: int


@dataclass(frozen=True)
class Rows:
    """The rows of the spine, or of a use of a view, in an exchange.

    Args:
        number: How many they are.
        row_bytes: The bytes of one row.
        kernel_bytes: The bytes of the kernel's own arrays for one row.
    """

    number: int
    _: KW_ONLY
    row_bytes: int
    kernel_bytes: int


def fitting_sizes(spine: Rows, uses: Sequence[Rows], *, memory: int, parallel: int) -> Sizes:
    """Return how an exchange is divided, so that its rows fit the memory of tasks.

    If half of all rows have one key, its buckets are as many as the tasks that work at once.

    Args:
        spine: The spine's rows.
        uses: The stored rows of each use of a view.
        memory: The memory of a task, in bytes.
        parallel: The number of tasks that shall have work, if there are rows for so many.

    Example:
        >>> spine = Rows(1_000, row_bytes=4_000, kernel_bytes=80)
        >>> stored = Rows(1_000_000, row_bytes=64, kernel_bytes=80)
        >>> fitting_sizes(spine, [stored], memory=512_000_000, parallel=4)
        Sizes(tasks=4, parts=1, rows_per_bucket=125125)
    """
    every = (spine, *uses)
    rows = sum(each.number for each in every)
    size = sum(each.number * each.row_bytes for each in every)
    for_memory = -(-size * _SHARE_OF_ROWS // memory)
    tasks = max(1, for_memory, min(parallel, rows // _LEAST_ROWS))
    # Each row is in memory as it came and as the kernel takes it. The spine's rows of a key need
    # not fit together.
    kernel = max(each.kernel_bytes for each in every)
    row_bytes = kernel + 2 * max(each.row_bytes for each in uses)
    held = max(1, memory // (_SHARE_OF_BUCKET * row_bytes))
    most = max(each.number for each in every)
    parts = -(-most // (tasks * min(held, _ROWS_PER_PART)))
    share = max(_LEAST_ROWS, rows // (2 * parallel))
    return Sizes(tasks, parts=max(1, parts), rows_per_bucket=min(held, share))
