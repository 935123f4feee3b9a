"""Exact sums of any slices, from running sums of digits.

Each number is split into digits: integers that are multiples of fixed powers of two. Each digit
has its own running sum, an int64 that cannot overflow. The difference of two running sums is the
exact sum of that digit over a slice. Only the end of the computation rounds, to the nearest float.

An example with digits of 4 bits, on the values 2.5, 1000.0 and -0.25, which are whole multiples of
2**-2::

    value     in units of 2**-2    digits of 2**6, 2**2, 2**-2
    2.5           10 =             0 * 256 +  0 * 16 + 10
    1000.0      4000 =            15 * 256 + 10 * 16 +  0
    -0.25         -1 =             0 * 256 +  0 * 16 -  1

    running sums of the digits:    0, 0, 15, 15    0, 0, 10, 10    0, 10, 10, 9

The sum of the first and the last value comes from two slices: (0 - 0) + (15 - 15) = 0 of the first
digit, 0 of the second and (10 - 0) + (9 - 10) = 9 of the third, which is 9 * 2**-2 = 2.25. The
1000.0 between them leaves no rounding error.

So a huge value elsewhere in the history, another chunk, or another order of rows changes no bit
(ADR 4). With compensated summation, the error would grow with the history. For integers and
decimals, exact sums also show every overflow.
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
"""The bits of a digit of integers and decimals."""

LOW = (1 << BITS) - 1
"""The mask of the low digit of an integer."""

_WIDEST = 45
_SUM_BITS = 61
_BLOCK = 1 << 14
_MANTISSA = 53
_BIAS = 1023
_PLAIN = 900
_EXACT = 3
_TWO = 2

Grid = tuple[int, int]
"""The bits of each digit, and the weight of the lowest one as a power of two."""


@dataclass(frozen=True)
class Totals:
    """The sums of each moment by digit: digit p weighs ``2 ** (base + bits * p)``.

    Args:
        digits: The sums of each digit, the lowest first: arrays with a number for each moment.
        grid: The bits and the base.
    """

    digits: tuple[Ints, ...]
    grid: Grid = (BITS, 0)

    def rounded(self) -> Floats:
        """Return the nearest floats.

        Example:
            >>> Totals((np.array([5]), np.array([1]))).rounded().tolist()
            [4294967301.0]
        """
        if len(self.digits) == 1:
            return _scaled(self.digits[0].astype(np.float64), self.grid[1])
        sums = self._rounded_once() if self._two_floats() else np.add(*self.rounded_twice())
        if not np.isfinite(sums).all():
            # The digits of a sum just below the greatest float may round up to infinity.
            for at in np.flatnonzero(~np.isfinite(sums)).tolist():
                sums[at] = self.nearest(at)
        return sums

    def _two_floats(self) -> bool:
        """Return whether the sums have two digits, each of which is exactly a float."""
        whole = (_magnitude(digit) <= 1 << _MANTISSA for digit in self.digits)
        return len(self.digits) == 2 and all(whole)

    def _rounded_once(self) -> Floats:
        """Return the nearest floats of two digits that are exactly floats."""
        bits, base = self.grid
        low, high = (digit.astype(np.float64) for digit in self.digits)
        with np.errstate(over="ignore"):
            _scaled(low, base, out=low)
            _scaled(high, base + bits, out=high)
            low += high
        return low

    def rounded_twice(self) -> tuple[Floats, Floats]:
        """Return the sums as floats and the errors of these floats: together exact to 100 bits."""
        size = len(self.digits[0])
        high, low = np.zeros((2, size))
        # PERF: blocks that fit the CPU cache take half of the time (ADR 4).
        for first in range(0, size, _BLOCK):
            block = slice(first, first + _BLOCK)
            digits = [*self._carried(block)]
            _round(digits[::-1], self.grid, high[block], low[block])
        return high, low

    def nearest(self, at: int, divisor: int = 1) -> float:
        """Return the float nearest to a moment's sum divided by a number.

        Example:
            >>> Totals((np.array([3]),)).nearest(0, 2)
            1.5
        """
        bits, base = self.grid
        number = sum(int(digit[at]) << (bits * nth) for nth, digit in enumerate(self.digits))
        try:
            return (number << max(base, 0)) / (divisor << max(-base, 0))
        except OverflowError:
            return math.inf if number > 0 else -math.inf

    def _carried(self, block: slice) -> Iterator[Ints]:
        """Yield digits of the same sums, the lowest first, each in [-half, half) of its weight."""
        bits, _ = self.grid
        carry = np.zeros_like(self.digits[0][block])
        for digit in self.digits:
            total = digit[block] + carry
            carry = (total + (1 << (bits - 1))) >> bits
            yield total - (carry << bits)
        yield carry


@dataclass(frozen=True)
class ExactSums:
    """The running sums of a column's digits, the lowest digit first.

    Example:
        >>> sums = of_integers(np.array([5, -7]))
        >>> sums.totals(Slices(np.array([0, 1]), np.array([2, 2]))).digits[0].tolist()
        [-2, -7]
    """

    running: tuple[Ints, ...]
    grid: Grid = (BITS, 0)

    def totals(self, slices: Slices) -> Totals:
        """Return the sums of each moment by digit."""
        return Totals(tuple(slices.sums(sums) for sums in self.running), self.grid)

    def rounded(self, slices: Slices) -> Floats:
        """Return the nearest float to the sum of each moment."""
        # PERF: one loop in C in place of NumPy's passes; windows take 0.83 of the time (ADR 12).
        loops, (bits, base) = compiled(), self.grid
        plain = base > -_PLAIN and base + bits < _PLAIN
        if loops is not None and plain and slices.offsets is None and len(self.running) == _TWO:
            low, high = self.running
            units = 2.0**base, 2.0 ** (base + bits)
            sums = add_digits(loops, (low, high), units, slices.start, slices.stop)
            if sums is not None:
                return sums
        return self.totals(slices).rounded()


def of_integers(values: Ints) -> ExactSums:
    """Return the exact sums of integers; of a single digit if no sum of them can overflow."""
    if _magnitude(values) * len(values) <= np.iinfo(np.int64).max:
        return ExactSums((running(values),))
    return ExactSums((running(values & LOW), running(values >> BITS)))


def of_decimals(values: pa.Array, valid: Mask | None) -> ExactSums:
    """Return the exact sums of the unscaled integers of 128-bit decimals, nulls as 0."""
    words = np.frombuffer(values.buffers()[1], np.uint32).reshape(-1, 4)
    words = words[values.offset : values.offset + len(values)].astype(np.int64)
    words[:, 3] = words[:, 3].astype(np.int32)
    if valid is not None:
        words[~valid] = 0
    return ExactSums(tuple(running(words[:, digit]) for digit in range(4)))


def narrow(terms: int, low: int, high: int) -> Grid:
    """Return a grid on which the digits of a value do not depend on the other values."""
    return BITS, low // BITS * BITS


def wide(terms: int, low: int, high: int) -> Grid:
    """Return the grid with the fewest digits for so many terms of bits ``low`` to ``high``.

    Example:
        >>> wide(1000, -60, 10)
        (35, -60)
    """
    # The sum of a digit over all terms, plus the carry, must fit 62 bits. No digit has more than
    # 45 bits: then the error of adding two digits' sums (8 bits of the 61) plus the third is
    # exact.
    widest = min(_WIDEST, _SUM_BITS - terms.bit_length())
    digits = max(-(-(high - low) // widest), 1)
    # Digits are as narrow as their number allows: sums of narrow digits are floats themselves.
    return max(-(-(high - low) // digits), 1), low


def of_floats(*terms: Floats, grid: Callable[[int, int, int], Grid] = wide) -> ExactSums:
    """Return the exact sums of finite floats.

    Args:
        terms: One or more arrays with a float for each slot; a slot's value is the sum of its
            floats.
        grid: Returns the grid from the number of floats and the range of their bits.

    Example:
        >>> sums = of_floats(np.array([1e300, 0.5, -1e300]))
        >>> sums.totals(Slices(np.array([0, 1]), np.array([3, 2]))).rounded().tolist()
        [0.5, 0.5]
    """
    low, high = _span(terms)
    bits, base = grid(len(terms) * len(terms[0]), low, high)
    powers = range(base, max(high, base + 1), bits)
    split = [_digits(term, powers) for term in terms]
    digits = (reduce(np.add, same_weight) for same_weight in zip(*split, strict=True))
    sums = (running(digit.astype(np.int64)) for digit in digits)
    return ExactSums(tuple(sums), (bits, base))


def _digits(term: Floats, powers: range) -> list[Floats]:
    """Return the digits of floats on the grid of some powers of two; all steps are exact."""
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
    """Return the range of powers of two, [low, high), in which the floats have bits."""
    # Without the sign, the bits of floats are integers in the order of the floats' sizes. After
    # subtracting one, those of zero are the greatest.
    words = [term.view(np.uint64) << np.uint64(1) for term in terms]
    highest = max(int(word.max(initial=0)) for word in words)
    if not highest:
        return 0, 0
    lowest = min(int((word - np.uint64(1)).min()) for word in words) + 1
    return _exponent(lowest) - _MANTISSA + 1, _exponent(highest) + 1


def _exponent(word: int) -> int:
    """Return the exponent of a float, from its bits without the sign."""
    return max(word >> _MANTISSA, 1) - _BIAS


def _round(digits: list[Ints], grid: Grid, high: Floats, low: Floats) -> None:
    """Add digits, the highest first: nearest floats into ``high``, their errors into ``low``."""
    bits, base = grid
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for nth, digit in enumerate(digits):
            if not digit.any():
                continue
            power = base + bits * (len(digits) - 1 - nth)
            term = _scaled(digit.astype(np.float64), power)
            # The sum so far is zero or greater than all digits that follow: Dekker's sum.
            total = high + term
            off = term - (total - high)
            low[:] = low + off if nth < _EXACT else _add_rounding_to_odd(low, off)
            high[:] = total


def _add_rounding_to_odd(left: Floats, right: Floats) -> Floats:
    """Return the sums, rounded to odd: of the two neighbours of an inexact sum, the odd one.

    An odd number is never halfway between two floats, so that a second rounding gives the same as
    rounding the exact sum (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums:
    proved algorithms using rounding to odd", 2008).
    """
    total, off = two_sum(left, right)
    words = total.view(np.int64)
    # The neighbour in the direction of the error: one more in the bits is farther from zero.
    away = np.where((off > 0.0) == (total > 0.0), 1, -1)
    words += np.where((off != 0.0) & (words & 1 == 0), away, 0)
    return total


def _scaled(numbers: Floats, power: int, out: Floats | None = None) -> Floats:
    # PERF: a factor that is a plain float gives the same bits several times as fast as ldexp.
    if abs(power) < _PLAIN:
        return np.multiply(numbers, 2.0**power, out=out)
    return np.ldexp(numbers, power, out=out)


def two_sum(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return the rounded sums and their exact errors (Knuth)."""
    total = left + right
    part = total - left
    return total, (left - (total - part)) + (right - part)


def two_product(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return the rounded products and their exact errors (Dekker)."""
    product = left * right
    left_high, left_low = _halves(left)
    right_high, right_low = _halves(right)
    error = left_high * right_high - product + left_high * right_low + left_low * right_high
    return product, error + left_low * right_low


def _halves(values: Floats) -> tuple[Floats, Floats]:
    """Return the high and the low half of each float's bits, as floats."""
    scaled = values * float((1 << 27) + 1)
    high = scaled - (scaled - values)
    return high, values - high


def _magnitude(values: Ints) -> int:
    """Return the greatest absolute value."""
    return max(-int(values.min(initial=0)), int(values.max(initial=0)))
