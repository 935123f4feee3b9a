"""Exceptions of the disk, of an object store and of delta-rs as errors of featurestore.

A full disk, a folder that cannot be written and a store that cannot be reached are no bugs: the
message names the file or the address, and what to do.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import DeltaError

from featurestore.errors import StorageError
from featurestore.store.failures.object_store import (
    ObjectStoreProblem,
    object_store_problem,
    without_debug_text,
)

_LONGEST = 400
_DECORATION = re.compile(r"\x1b\[[0-9;]*m|[↳╰╭│├─▶]+")
_TRACE = re.compile(r"\d+: |at \./|note: ")
_READ_ONLY = "Make it writable for this user, or set another root in featurestore.toml."
_FORBIDDEN = "Let this user read and write it, or set another root in featurestore.toml."
_FIXES = {
    errno.ENOSPC: "Free some space on the disk, then run the same command again.",
    errno.EDQUOT: "Free some space on the disk, then run the same command again.",
    errno.EFBIG: "Raise the limit of file sizes (ulimit -f), then run the same command again.",
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.ENOENT: "Check the path: a folder or a file of it does not exist.",
    errno.ENOTDIR: "Check the path: one of its folders is a file.",
    errno.EISDIR: "Check the path: a file is needed, and this is a folder.",
    errno.EEXIST: "Check the path: there is a file of that name.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n), then run the same command again.",
}
# delta-rs and Arrow have the system's error in their text only.
_TEXTS = {
    "No space left": errno.ENOSPC,
    "Disk quota": errno.EDQUOT,
    "File too large": errno.EFBIG,
    "Read-only file system": errno.EROFS,
    "Permission denied": errno.EACCES,
    "Operation not permitted": errno.EPERM,
    "Not a directory": errno.ENOTDIR,
    "Is a directory": errno.EISDIR,
    "Too many open files": errno.EMFILE,
    "No such file": errno.ENOENT,
}
_UNREACHABLE = (
    "Check the address, the network and the credentials (such as AWS_ENDPOINT_URL and "
    "AWS_ACCESS_KEY_ID), then run the same command again."
)


@contextmanager
def storage_errors(call: str, address: str) -> Iterator[None]:
    """Raise exceptions of the disk or of delta-rs as errors that name the address.

    Args:
        call: The operation for the message.
        address: The file or table, for exceptions that name none.

    Raises:
        StorageError: The disk, the object store or delta-rs failed.

    Example:
        >>> with storage_errors("apply", "store/locks"):
        ...     raise PermissionError(13, "Permission denied", "store/locks/a.lock")
        Traceback (most recent call last):
        featurestore.errors.StorageError: apply: store/locks/a.lock: Permission denied. Let this...
    """
    try:
        yield
    except (OSError, DeltaError) as error:
        raise storage_error(error, call, address) from error


def storage_error(error: Exception, call: str, address: str = "") -> StorageError:
    """Return the error for an exception of the disk, of an object store or of delta-rs.

    Args:
        error: The exception, of a library too that reads object stores.
        call: The operation for the message.
        address: The file or table, for an exception that names none.

    Example:
        >>> storage_error(OSError(28, "No space left on device", "a.json"), "write").found
        'a.json: No space left on device'
    """
    text = failure_text(error, address)
    file = getattr(error, "filename", None) or address
    found = text if not file or str(file) in f"{call} {text}" else f"{file}: {text}"
    return StorageError(call, found, _fix(error, address))


def object_store_error(error: Exception, call: str, address: str = "") -> StorageError | None:
    """Return the error for an exception that says what is wrong with an object store, else None.

    Args:
        error: The exception of any library.
        call: The operation for the message.
        address: The requested URL, if it is known.

    Example:
        >>> error = OSError("AWS Error ACCESS_DENIED during ListObjectsV2 operation")
        >>> object_store_error(error, "open table s3://b/t", "s3://b/t").found
        'the object store refuses these credentials'
        >>> object_store_error(OSError(28, "No space left on device"), "write") is None
        True
    """
    return None if _problem(error, address) is None else storage_error(error, call, address)


def failure_text(error: BaseException, address: str = "") -> str:
    r"""Return what an exception says, as one line.

    delta-rs writes several lines, with colours and with the trace of its own code.

    Args:
        error: The exception.
        address: The requested file or table, if it is known.

    Example:
        >>> failure_text(OSError("Generic S3 error\n   \x1b[31m↳\x1b[0m some\n reason"))
        'Generic S3 error: some: reason'
        >>> failure_text(OSError("Generic S3 error\n   \x1b[31m↳\x1b[0m Connection refused"))
        'the object store does not answer: connection refused'
    """
    if (problem := _problem(error, address)) is not None:
        return problem.found
    text = without_debug_text(getattr(error, "strerror", None) or str(error))
    lines = (_DECORATION.sub("", line).strip() for line in text.splitlines())
    said = [line for line in lines if line and not _TRACE.match(line)]
    return ": ".join(dict.fromkeys(said))[:_LONGEST] or type(error).__name__


def _problem(error: BaseException, address: str) -> ObjectStoreProblem | None:
    # An error with a number is of this machine's disk or network, whatever its text says.
    if getattr(error, "errno", None) is not None:
        return None
    return object_store_problem(str(error), address)


def _fix(error: BaseException, address: str) -> str:
    if (problem := _problem(error, address)) is not None:
        return problem.fix
    text = str(error)
    number = getattr(error, "errno", None)
    if number not in _FIXES:
        number = next((code for words, code in _TEXTS.items() if words in text), None)
    if number in _FIXES:
        return _FIXES[number]
    return _UNREACHABLE
