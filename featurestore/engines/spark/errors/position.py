"""The line of the user's code at which an error arose, for its message."""

import os
import re
import traceback
from pathlib import Path
from types import TracebackType

from featurestore.definitions.code.provenance import is_library_file

_PACKAGE = f"{Path(__file__).parents[3]}{os.sep}"
_FRAME = re.compile(r'^\s+File "([^"]+)", line (\d+), in (\S+)', re.MULTILINE)
# Python's own modules, and pyspark where it lies in Spark's folder on a cluster.
_NOT_OF_USERS = re.compile(r"/lib/python3\.\d+/|/pyspark/|/py4j-|^<frozen |\.pxi$|\.pyx$")
_DATAFRAME = re.compile(r'^== DataFrame ==\n"(\w+)" was called from\n(.+:\d+)$', re.MULTILINE)
_SQL = re.compile(r"^== SQL \(line \d+, position \d+\) ==\n(.*)", re.MULTILINE | re.DOTALL)
_MARKED = re.compile(r"^(.*)\n( *)(\^+)$", re.MULTILINE)


def position_of(stack: TracebackType | None) -> str:
    """Return the function of the user's code in which an exception arose, with file and line.

    Args:
        stack: The exception's traceback.

    Returns:
        The innermost function that is of no library; ``""`` if there is none.
    """
    frames = [
        (frame.filename, str(frame.lineno), frame.name) for frame in traceback.extract_tb(stack)
    ]
    return _innermost(frames)


def position_in(text: str) -> str:
    """Return the function of the user's code in a traceback's text, with file and line.

    Args:
        text: A traceback as Python prints it, such as that of a worker.

    Example:
        >>> position_in('  File "defs/rates.py", line 7, in euros')
        "function 'euros' (defs/rates.py:7)"
    """
    return _innermost(_FRAME.findall(text))


def query_position(text: str) -> str:
    r"""Return the part of a query in which Spark found a wrong value; ``""`` if it does not say.

    Args:
        text: An error of Spark. It may name the line of a DataFrame's method, or mark a part of
            an SQL text.

    Example:
        >>> query_position('== DataFrame ==\n"cast" was called from\ndefs/cards.py:12')
        'cast() (defs/cards.py:12)'
        >>> query_position("== SQL (line 1, position 8) ==\nSELECT 1 / n FROM t\n       ^^^^^")
        "'1 / n' of the SQL"
    """
    if found := _DATAFRAME.search(text):
        return f"{found[1]}() ({found[2]})"
    sql = _SQL.search(text)
    marked = _MARKED.search(sql[1]) if sql else None
    if marked is None:
        return ""
    begin = len(marked[2])
    return f"{marked[1][begin : begin + len(marked[3])]!r} of the SQL"


def _innermost(frames: list[tuple[str, str, str]]) -> str:
    for file, line, function in reversed(frames):
        if not (is_library_file(file) or file.startswith(_PACKAGE) or _NOT_OF_USERS.search(file)):
            return f"function {function!r} ({file}:{line})"
    return ""
