"""`Sliding` and `Tumbling`: windows that end on a grid instead of at each row's moment."""

from dataclasses import KW_ONLY, dataclass
from functools import singledispatch
from typing import NamedTuple

from featurestore.definitions.model.arguments import named_arguments, unify_arguments


@named_arguments
@dataclass(frozen=True)
class Sliding:
    """A window that ends at the last point of a grid, so that it moves in steps.

    At the moment t it ends at ``e = floor((t - delay - offset) / every) * every + offset``. It
    contains the rows in ``[e - size, e)`` that exist at t. The grid starts at 1970-01-01 UTC.

    Args:
        size: Its length, or ``"lifetime"``.
        every: The distance between points of the grid.
        offset: The shift of the grid; less than ``every``.

    Example:
        >>> Sliding("7d", every="1d", offset="2h")
        Sliding(size='7d', every='1d', offset='2h')
    """

    size: str
    _: KW_ONLY
    every: str
    offset: str = "0s"

    def __post_init__(self) -> None:
        unify_arguments(self)


@named_arguments
@dataclass(frozen=True)
class Tumbling:
    """The last complete window of consecutive windows: `Sliding` in steps of its own length.

    Args:
        size: Its length, and the distance between points of the grid.
        offset: The shift of the grid; less than ``size``.

    Example:
        >>> Tumbling("1d")
        Tumbling(size='1d', offset='0s')
    """

    size: str
    _: KW_ONLY
    offset: str = "0s"

    def __post_init__(self) -> None:
        unify_arguments(self)


Length = str | Sliding | Tumbling
"""An item of ``windows=``: a text for a window that ends at each row's moment, or a grid."""


class Grid(NamedTuple):
    """A window as texts: its length, the distance between points of its grid, the grid's shift."""

    size: str
    every: str | None = None
    offset: str = "0s"

    def __str__(self) -> str:
        every = "" if self.every is None else f" every {self.every}"
        return self.size + every + ("" if self.offset == "0s" else f" offset {self.offset}")


@singledispatch
def grid_of(window: str | Sliding | Tumbling) -> Grid:
    """Return the parts of a window.

    Example:
        >>> str(grid_of("7d")), str(grid_of(Tumbling("1d", offset="2h")))
        ('7d', '1d every 1d offset 2h')
    """
    return Grid(str(window))


@grid_of.register
def _(window: Sliding) -> Grid:
    return Grid(window.size, window.every, window.offset)


@grid_of.register
def _(window: Tumbling) -> Grid:
    return Grid(window.size, window.size, window.offset)


@singledispatch
def window_name(window: str | Sliding | Tumbling) -> str:
    """Return the end of the names of a window's features; it omits the offset.

    Example:
        >>> window_name(Sliding("7d", every="1d")), window_name(Tumbling("1d"))
        ('7d_every_1d', '1d_tumbling')
    """
    return str(window)


@window_name.register
def _(window: Sliding) -> str:
    return f"{window.size}_every_{window.every}"


@window_name.register
def _(window: Tumbling) -> str:
    return f"{window.size}_tumbling"
