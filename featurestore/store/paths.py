"""Addresses of tables and sources: local folders, or URLs."""

from pathlib import Path


def address(path: str, folder: str | Path) -> str:
    """Return a source's path as an absolute path; a URL stays as it is.

    Example:
        >>> address("s3://bucket/paid", "/project"), address("data/paid", "/project")
        ('s3://bucket/paid', '/project/data/paid')
    """
    return path if "://" in path else str(Path(folder, path).absolute())


def is_local(uri: str) -> bool:
    """Return whether an address is a local folder.

    Example:
        >>> is_local("store/demo"), is_local("s3://bucket/demo")
        (True, False)
    """
    return "://" not in uri or uri.startswith("file://")


def local_path(uri: str) -> str:
    """Return a local address as an absolute path.

    Example:
        >>> local_path("file:///data/x")
        '/data/x'
    """
    return str(Path(uri.removeprefix("file://")).absolute())
