"""Exact sums of any slices: every number split into whole digits on one grid.

A digit's running sum is an int64 that cannot overflow, so that the difference of two is the
slice's exact digit sum. Nothing is rounded before the very end, and then to the nearest float: a
huge value elsewhere in the history, a chunk that starts elsewhere, or another order of rows
changes no bit. The error of compensated summation would grow with the history; for integers and
decimals there is no other way to see an overflow.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Floats, Ints, Mask, running
from featurestore.engines.kernel.native.loops import add_digits, compiled
from featurestore.engines.kernel.slices import Slices

BITS = 32
LOW = (1 << BITS) - 1
_WIDEST = 45
_ROOM = 61
_BLOCK = 1 << 14
_MANTISSA = 53
_BIAS = 1023
_PLAIN = 900
_EXACT = 3
_TWO = 2

Grid = tuple[int, int]
"""A digit's bits, and the power of two that the lowest place weighs."""


@dataclass(frozen=True)
class Totals:
    """Digit sums: place p weighs ``2 ** (base + bits * p)``.

    Args:
        places: One array a place, the lowest first.
        grid: The bits and the base.
    """

    places: tuple[Ints, ...]
    grid: Grid = (BITS, 0)

    def rounded(self) -> Floats:
        """Return the nearest floats.

        Example:
            >>> Totals((np.array([5]), np.array([1]))).rounded().tolist()
            [4294967301.0]
        """
        if len(self.places) == 1:
            return _scaled(self.places[0].astype(np.float64), self.grid[1])
        sums = self._rounded_once() if self._two_floats() else np.add(*self.rounded_twice())
        if not np.isfinite(sums).all():
            # Digits of a sum just below infinity round up to it.
            for at in np.flatnonzero(~np.isfinite(sums)).tolist():
                sums[at] = self.nearest(at)
        return sums

    def _two_floats(self) -> bool:
        """Return whether the sums are of two places, each exactly a float."""
        whole = (_magnitude(place) <= 1 << _MANTISSA for place in self.places)
        return len(self.places) == 2 and all(whole)

    def _rounded_once(self) -> Floats:
        bits, base = self.grid
        low, high = (place.astype(np.float64) for place in self.places)
        with np.errstate(over="ignore"):
            _scaled(low, base, out=low)
            _scaled(high, base + bits, out=high)
            low += high
        return low

    def rounded_twice(self) -> tuple[Floats, Floats]:
        """Return sums as floats and what those are off, together good for 100 bits."""
        size = len(self.places[0])
        high, low = np.zeros((2, size))
        # In blocks that stay in the cache: twice as fast.
        for first in range(0, size, _BLOCK):
            block = slice(first, first + _BLOCK)
            digits = [*self._carried(block)]
            _round(digits[::-1], self.grid, high[block], low[block])
        return high, low

    def nearest(self, at: int, divisor: int = 1) -> float:
        """Return the float nearest to one sum's quotient, infinite where it is beyond them all.

        Example:
            >>> Totals((np.array([3]),)).nearest(0, 2)
            1.5
        """
        bits, base = self.grid
        number = sum(int(place[at]) << (bits * nth) for nth, place in enumerate(self.places))
        try:
            return (number << max(base, 0)) / (divisor << max(-base, 0))
        except OverflowError:
            return math.inf if number > 0 else -math.inf

    def _carried(self, block: slice) -> Iterator[Ints]:
        """Yield the digits of the same sums, lowest first, each in [-half, half) of its place."""
        bits, _ = self.grid
        carry = np.zeros_like(self.places[0][block])
        for place in self.places:
            total = place[block] + carry
            carry = (total + (1 << (bits - 1))) >> bits
            yield total - (carry << bits)
        yield carry


@dataclass(frozen=True)
class Digits:
    """Running sums of a column's digits, by place, the lowest first.

    Example:
        >>> digits = of_integers(np.array([5, -7]))
        >>> digits.totals(Slices(np.array([0, 1]), np.array([2, 2]))).places[0].tolist()
        [-2, -7]
    """

    running: tuple[Ints, ...]
    grid: Grid = (BITS, 0)

    def totals(self, slices: Slices) -> Totals:
        """Return each moment's digit sums."""
        return Totals(tuple(slices.sums(sums) for sums in self.running), self.grid)

    def rounded(self, slices: Slices) -> Floats:
        """Return the nearest float to each moment's sum."""
        loops, (bits, base) = compiled(), self.grid
        plain = base > -_PLAIN and base + bits < _PLAIN
        if loops is not None and plain and slices.offsets is None and len(self.running) == _TWO:
            low, high = self.running
            units = 2.0**base, 2.0 ** (base + bits)
            sums = add_digits(loops, (low, high), units, slices.start, slices.stop)
            if sums is not None:
                return sums
        return self.totals(slices).rounded()


def of_integers(values: Ints) -> Digits:
    """Return the digits of integers; a single place where no sum of them can overflow."""
    if _magnitude(values) * len(values) <= np.iinfo(np.int64).max:
        return Digits((running(values),))
    return Digits((running(values & LOW), running(values >> BITS)))


def of_decimals(values: pa.Array, valid: Mask | None) -> Digits:
    """Return the digits of the unscaled integers of 128-bit decimals, nulls as 0."""
    words = np.frombuffer(values.buffers()[1], np.uint32).reshape(-1, 4)
    words = words[values.offset : values.offset + len(values)].astype(np.int64)
    words[:, 3] = words[:, 3].astype(np.int32)
    if valid is not None:
        words[~valid] = 0
    return Digits(tuple(running(words[:, place]) for place in range(4)))


def narrow(terms: int, low: int, high: int) -> Grid:
    """Return a grid whose digits are the same whatever other values there are."""
    return BITS, low // BITS * BITS


def wide(terms: int, low: int, high: int) -> Grid:
    """Return the grid of the fewest places for so many terms of bits ``low`` to ``high``.

    Example:
        >>> wide(1000, -60, 10)
        (35, -60)
    """
    # The sum of all digits of a place, and what it carries, must fit 62 bits. No digit is wider
    # than 45: what one rounding leaves of two (8 bits of the 61) is exact beside the third.
    widest = min(_WIDEST, _ROOM - terms.bit_length())
    places = max(-(-(high - low) // widest), 1)
    # No wider than so many places must be: sums of narrow digits are floats themselves.
    return max(-(-(high - low) // places), 1), low


def of_floats(*terms: Floats, grid: Callable[[int, int, int], Grid] = wide) -> Digits:
    """Return the digits of the sums of finite floats, one of each of the ``terms`` a slot.

    Example:
        >>> digits = of_floats(np.array([1e300, 0.5, -1e300]))
        >>> digits.totals(Slices(np.array([0, 1]), np.array([3, 2]))).rounded().tolist()
        [0.5, 0.5]
    """
    low, high = _span(terms)
    bits, base = grid(len(terms) * len(terms[0]), low, high)
    powers = range(base, max(high, base + 1), bits)
    split = [_digits(term, powers) for term in terms]
    places = (reduce(np.add, digits) for digits in zip(*split, strict=True))
    sums = (running(place.astype(np.int64)) for place in places)
    return Digits(tuple(sums), (bits, base))


def _digits(term: Floats, powers: range) -> list[Floats]:
    """Return how often a float holds each power of two beside the greater ones; all exact."""
    digits = []
    with np.errstate(under="ignore"):
        for power in reversed(powers[1:]):
            digit = _scaled(term, -power)
            digits.append(np.trunc(digit, out=digit))
            term = term - _scaled(digit, power)
        # No float has a bit below the last power.
        digits.append(_scaled(term, -powers[0]))
    return digits[::-1]


def _span(terms: tuple[Floats, ...]) -> tuple[int, int]:
    """Return below which and from which power of two on no float has a bit."""
    # Words without the sign order as their floats' sizes; of words less one, zero's is greatest.
    words = [term.view(np.uint64) << np.uint64(1) for term in terms]
    highest = max(int(word.max(initial=0)) for word in words)
    if not highest:
        return 0, 0
    lowest = min(int((word - np.uint64(1)).min()) for word in words) + 1
    return _exponent(lowest) - _MANTISSA + 1, _exponent(highest) + 1


def _exponent(word: int) -> int:
    """Return the exponent of a float's word without its sign."""
    return max(word >> _MANTISSA, 1) - _BIAS


def _round(digits: list[Ints], grid: Grid, high: Floats, low: Floats) -> None:
    """Add digits, the highest first, to the nearest float and, in ``low``, what that is off."""
    bits, base = grid
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for nth, digit in enumerate(digits):
            if not digit.any():
                continue
            power = base + bits * (len(digits) - 1 - nth)
            term = _scaled(digit.astype(np.float64), power)
            # The digits so far are nothing or greater than all that follow: Dekker's sum.
            total = high + term
            off = term - (total - high)
            low[:] = low + off if nth < _EXACT else _add_to_odd(low, off)
            high[:] = total


def _add_to_odd(left: Floats, right: Floats) -> Floats:
    """Return sums, of two neighbours the odd one where they are inexact.

    What is odd is no tie: rounding it once more rounds the exact sum (Boldo and Melquiond,
    "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).
    """
    total, off = two_sum(left, right)
    words = total.view(np.int64)
    # The neighbour in the direction of what is off: a word more is farther from nothing.
    away = np.where((off > 0.0) == (total > 0.0), 1, -1)
    words += np.where((off != 0.0) & (words & 1 == 0), away, 0)
    return total


def _scaled(numbers: Floats, power: int, out: Floats | None = None) -> Floats:
    # A factor that is a plain float gives the same bits several times as fast.
    if abs(power) < _PLAIN:
        return np.multiply(numbers, 2.0**power, out=out)
    return np.ldexp(numbers, power, out=out)


def two_sum(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return the rounded sum and exactly what it is off (Knuth)."""
    total = left + right
    part = total - left
    return total, (left - (total - part)) + (right - part)


def two_product(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return the rounded product and exactly what it is off (Dekker)."""
    product = left * right
    left_high, left_low = _halves(left)
    right_high, right_low = _halves(right)
    error = left_high * right_high - product + left_high * right_low + left_low * right_high
    return product, error + left_low * right_low


def _halves(values: Floats) -> tuple[Floats, Floats]:
    scaled = values * float((1 << 27) + 1)
    high = scaled - (scaled - values)
    return high, values - high


def _magnitude(values: Ints) -> int:
    return max(-int(values.min(initial=0)), int(values.max(initial=0)))
