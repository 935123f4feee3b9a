"""Spark's log: the output of its Java process, in a file, without credentials."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import BinaryIO

from featurestore.credentials import without_credentials

_MOST_BYTES = 5_000_000
_END_SECONDS = 5.0


@contextmanager
def redacted_log(file: Path) -> Iterator[BinaryIO]:
    """Yield what a process can write to, so that its lines are appended to a file.

    Credentials and the values of referenced environment variables are hidden as in all messages of
    this process. A value is known once it is resolved, so the lines pass through this process. A
    thread writes them until all processes have closed their end.

    A large file is emptied before. If the block fails, the file has all lines by then, as far as
    the process has ended.

    Args:
        file: The file.
    """
    output = file.open("ab")
    if output.tell() > _MOST_BYTES:
        output.truncate(0)
    reader, writer = os.pipe()
    source = os.fdopen(reader, "rb")
    copier = Thread(target=_copy, args=(source, output), name="spark-log", daemon=True)
    copier.start()
    try:
        # The process has the pipe's end by then; ours would keep the thread waiting.
        with os.fdopen(writer, "wb") as pipe:
            yield pipe
    except BaseException:
        copier.join(_END_SECONDS)
        raise


def _copy(source: BinaryIO, output: BinaryIO) -> None:
    with source, output:
        for line in source:
            output.write(without_credentials(line.decode("utf-8", "replace")).encode("utf-8"))
            output.flush()
