"""Ctrl-C while Spark runs: say what stays and what to do next, without py4j's traceback."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from featurestore.cli.output import say

INTERRUPTED = 130


@contextmanager
def interruptible() -> Iterator[None]:
    """Run a block that uses Spark. If Ctrl-C ends it, print what to do next.

    Raises:
        typer.Exit: Ctrl-C was pressed. The exit code is 130.

    Example:
        >>> with interruptible():
        ...     pass
    """
    root, py4j = logging.getLogger(), logging.getLogger("py4j")
    level = py4j.level
    # py4j logs the traceback of Ctrl-C with the root logger before it raises KeyboardInterrupt.
    root.addFilter(_is_not_from_py4j)
    py4j.setLevel(logging.CRITICAL)
    try:
        yield
    except KeyboardInterrupt:
        say(
            "[bold]interrupted[/]: what is committed stays. "
            "Run the same command again: it does what is left."
        )
        raise typer.Exit(INTERRUPTED) from None
    finally:
        root.removeFilter(_is_not_from_py4j)
        py4j.setLevel(level)


def _is_not_from_py4j(record: logging.LogRecord) -> bool:
    return "py4j" not in Path(record.pathname).parts
