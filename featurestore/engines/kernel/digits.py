"""Exact sums of any slices: every number split into digits of 32 bits on one fixed grid.

A digit's running sum is an int64 that cannot overflow below 2**31 rows, so that the difference of
two is the slice's exact digit sum. Nothing is rounded before the very end: a huge value elsewhere
in the history, a chunk that starts elsewhere, or another order of rows changes no bit. The
error of compensated summation would grow with the history; for integers and decimals there is no
other way to see an overflow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from featurestore.engines.kernel.arrays import Floats, Ints, Mask
from featurestore.engines.kernel.column import running
from featurestore.engines.kernel.slices import Slices

BITS = 32
LOW = (1 << BITS) - 1
HALF = 1 << (BITS - 1)
_BLOCK = 1 << 14
_FAR = -128
_MANTISSA = 53
_BIAS = 1023
_PLAIN = 900


@dataclass(frozen=True)
class Digits:
    """Running sums of a column's digits, by the digit's place: place p weighs ``2 ** (32 * p)``.

    Example:
        >>> digits = of_integers(np.array([5, -7]))
        >>> digits.totals(Slices(np.array([0, 1]), np.array([2, 2])))[0].tolist()
        [-2, -7]
    """

    running: Mapping[int, Ints]

    def totals(self, slices: Slices) -> dict[int, Ints]:
        """Return each moment's digit sums by place."""
        return {place: slices.sums(sums) for place, sums in self.running.items()}


def of_integers(values: Ints) -> Digits:
    """Return the digits of integers; a single place where no sum of them can overflow."""
    if not len(values) or _magnitude(values) * len(values) <= np.iinfo(np.int64).max:
        return Digits({0: running(values)})
    return Digits({0: running(values & LOW), 1: running(values >> BITS)})


def of_decimals(values: pa.Array, valid: Mask | None) -> Digits:
    """Return the digits of the unscaled integers of 128-bit decimals, nulls as 0."""
    words = np.frombuffer(values.buffers()[1], np.uint32).reshape(-1, 4)
    words = words[values.offset : values.offset + len(values)].astype(np.int64)
    words[:, 3] = words[:, 3].astype(np.int32)
    if valid is not None:
        words[~valid] = 0
    return Digits({place: running(words[:, place]) for place in range(4)})


def of_floats(*terms: Floats) -> Digits:
    """Return the digits of the sums of finite floats, one of each of the ``terms`` a slot.

    Example:
        >>> digits = of_floats(np.array([1e300, 0.5, -1e300]))
        >>> rounded(digits.totals(Slices(np.array([0, 1]), np.array([3, 2])))).tolist()
        [0.5, 0.5]
    """
    rests = [term.copy() for term in terms]
    sums: dict[int, Ints] = {}
    for place in sorted({0}.union(*map(_places, terms)), reverse=True):
        digit = np.zeros(len(terms[0]))
        for rest in rests:
            digit += _take_digit(rest, place)
        sums[place] = running(digit.astype(np.int64))
    return Digits(sums)


def _take_digit(rest: Floats, place: int) -> Floats:
    """Return the digit in a place and leave in ``rest`` what is below; both exact."""
    # Two factors each way: 2.0 ** (32 * 34) is no float.
    half = BITS * place // 2
    up, down = 2.0**half, 2.0**-half
    with np.errstate(under="ignore"):
        digit = rest * down
        digit *= down
        np.trunc(digit, out=digit)
        rest -= digit * up * up
    return digit


def _places(values: Floats) -> set[int]:
    """Return the places in which any of the floats has a bit."""
    exponents = (values.view(np.int64) >> (_MANTISSA - 1)) & 0x7FF
    found = np.bincount(exponents, minlength=1)
    if found[0] == np.count_nonzero(values == 0.0):
        found[0] = 0
    tops = np.flatnonzero(found) - _BIAS
    return {
        place
        for top in tops.tolist()
        for place in range((top - _MANTISSA + 1) // BITS, top // BITS + 1)
    }


def carried(totals: Mapping[int, Ints]) -> dict[int, Ints]:
    """Return the same sums with digits in [-2**31, 2**31), which are unique for a number."""
    digits: dict[int, Ints] = {}
    pending: dict[int, Ints] = {}
    for place in sorted(totals):
        digits.update(pending)
        total = totals[place]
        if place in digits:
            total = total + digits[place]
        carry = (total + HALF) >> BITS
        digits[place] = total - (carry << BITS)
        pending = {place + 1: carry}
    return digits | pending


def rounded(totals: Mapping[int, Ints], shift: int = 0) -> Floats:
    """Return sums as floats, at most one unit in the last place off; times ``2 ** shift``."""
    sums = np.add(*rounded_twice(totals, shift))
    beyond = ~np.isfinite(sums)
    if not shift and beyond.any():
        # The digits of a sum just below infinity round up to infinity and come back down.
        with np.errstate(over="ignore"):
            sums[beyond] = np.ldexp(rounded(totals, _FAR), -_FAR)[beyond]
    return sums


def rounded_twice(totals: Mapping[int, Ints], shift: int = 0) -> tuple[Floats, Floats]:
    """Return sums as floats and what those are off, together good for 100 bits."""
    size = len(next(iter(totals.values())))
    high, low = np.zeros((2, size))
    # In blocks that stay in the cache: twice as fast.
    for first in range(0, size, _BLOCK):
        block = slice(first, first + _BLOCK)
        part = carried({place: total[block] for place, total in totals.items()})
        _round(part, shift, high[block], low[block])
    return high, low


def _round(digits: Mapping[int, Ints], shift: int, high: Floats, low: Floats) -> None:
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for place in sorted(digits, reverse=True):
            if digits[place].any():
                term = _scaled(digits[place].astype(np.float64), BITS * place + shift)
                # The digits so far are nothing or greater than all that follow: Dekker's sum.
                total = high + term
                low += term - (total - high)
                high[:] = total


def _scaled(numbers: Floats, power: int) -> Floats:
    # A factor that is a plain float gives the same bits several times as fast.
    return numbers * 2.0**power if abs(power) < _PLAIN else np.ldexp(numbers, power)


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
    return max(-int(values.min()), int(values.max()))
