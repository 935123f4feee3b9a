"""How the functions of an exchange run in Spark's tasks."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from featurestore.engines.spark.errors.transport import send_errors


@contextmanager
def in_task() -> Iterator[None]:
    """Use one core for Arrow, and raise errors in the form that Spark passes on.

    Example:
        >>> with in_task():
        ...     pa.cpu_count()
        1
    """
    pa.set_cpu_count(1)  # other tasks use the other cores
    with send_errors():
        yield
