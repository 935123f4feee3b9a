"""`NotATable`: what frames refuse. A frame is no table, and is converted to one by a method."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from featurestore.errors import RequestError


class NotATable:
    """Refuses what tables can do, with errors that name the methods which return tables.

    Args:
        _ways: The methods, as a sentence.

    Example:
        >>> class Frame(NotATable):
        ...     _ways = "Its rows: to_arrow()."
        >>> Frame()["amount"]
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: frame['amount']: a Frame is no table...
    """

    _ways: ClassVar[str]

    def __getitem__(self, key: object) -> Any:
        """Refuse it: a frame is no table, and is converted to one by a method.

        Raises:
            RequestError: Always. It names the methods.
        """
        raise RequestError(f"frame[{key!r}]", self._refusal(), self._ways)

    def __iter__(self) -> Iterator[Any]:
        """Refuse it, as `__getitem__` does. pandas would iterate: ``pandas.DataFrame(frame)``.

        Raises:
            RequestError: Always. It names the methods.
        """
        raise RequestError("iterate a frame", self._refusal(), self._ways)

    if not TYPE_CHECKING:  # for mypy, a name that the class does not have is an error

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            raise AttributeError(f"{kind} has no {name!r}. {self._ways}", name=name, obj=self)

    def _refusal(self) -> str:
        return f"a {type(self).__name__} is no table"
