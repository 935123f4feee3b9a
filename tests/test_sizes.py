"""Sizes of memory: parsed from text, and printed exactly or in whole megabytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.errors import ProjectError
from featurestore.sizes import format_bytes, format_megabytes, parse_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (4096, 4096),
        ("4096", 4096),
        ("7B", 7),
        ("1.5 kB", 1500),
        ("1KiB", 1024),
        (" 2mb ", 2_000_000),
        ("2MiB", 2 * 2**20),
        ("2GB", 2_000_000_000),
        ("0.5GiB", 2**29),
        ("1TB", 10**12),
        ("1TiB", 2**40),
    ],
)
def test_a_size_is_a_number_of_bytes_or_a_text_with_a_unit(text: int | str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "2 apples", "-1GB", "1e9", "0", 0, -5, "0.1B", "1.GB"])
def test_a_text_that_is_no_positive_size_is_refused(text: int | str) -> None:
    with pytest.raises(ProjectError) as refused:
        parse_bytes(text)

    assert repr(text) in refused.value.found
    examples = [word.strip("'.") for word in refused.value.fix.split() if word.startswith("'")]
    assert examples
    assert all(parse_bytes(example) > 0 for example in examples)


@pytest.mark.parametrize(
    ("size", "exact", "rounded"),
    [
        (1, "1B", "1MB"),
        (20_000_000, "20MB", "20MB"),
        (480_000_000, "480MB", "480MB"),
        (480_000_001, "480000001B", "481MB"),
        (1_500_000, "1500kB", "2MB"),
        (2**30, "1GiB", "1074MB"),
        (2_000_000_000, "2GB", "2000MB"),
    ],
)
def test_a_size_is_printed_exactly_or_rounded_up(size: int, exact: str, rounded: str) -> None:
    assert (format_bytes(size), format_megabytes(size)) == (exact, rounded)


@given(st.integers(1, 2**50))
def test_a_printed_size_parses_to_itself_and_a_rounded_one_to_less_than_a_megabyte_more(size):
    assert parse_bytes(format_bytes(size)) == size
    assert size <= parse_bytes(format_megabytes(size)) < size + 1_000_000
