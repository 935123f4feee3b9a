"""The error of a file that cannot be read as its source declares."""

from featurestore.errors import SourceError

# A file with a problem was not stored, so it may be corrected in its place.
_FIX = "Correct the file, or the source, and run the command again: no row of the file is stored."


class FileProblemError(Exception):
    """What is wrong with a file; `source_error` adds the source and the file.

    Args:
        found: The problem.
        fix: What to do next.
    """

    def __init__(self, found: str, fix: str = _FIX) -> None:
        self.found, self.fix = found, fix
        super().__init__(found)


def source_error(problem: FileProblemError, call: str, file: str) -> SourceError:
    """Return the error of a source whose file has a problem.

    Args:
        problem: The problem.
        call: The operation, with the source's name.
        file: The file's address.

    Example:
        >>> source_error(FileProblemError("it is empty"), "read source 's'", "a.csv").found
        'file a.csv: it is empty'
    """
    return SourceError(call, f"file {file}: {problem.found}", problem.fix)


def wrong_value(column: str, value: str, dtype: object, how: str) -> FileProblemError:
    """Return the problem of a value that its declared type does not hold exactly.

    Args:
        column: The column's name.
        value: The value, as text.
        dtype: The declared type.
        how: The texts or values that the type has, for the fix.
    """
    shown = value if len(value) <= _LONGEST else value[:_LONGEST] + "..."
    return FileProblemError(
        f"column {column!r} has the value {shown!r}, which {dtype} does not hold exactly",
        f"{how} Correct the value in the file, or declare another type for {column!r}.",
    )


_LONGEST = 100
