"""Names of files: no two names share one, and none leaves its folder."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.site.file_names import file_name

names = st.text(max_size=80) | st.from_regex(r"[a-zA-Z0-9_]{1,70}", fullmatch=True)
alike = st.sampled_from(
    ["a", "A", "á", "ä", "a-b", "a_b", "A_B", "con", "CON", "K", "\u212a", "ß"]
)


@given(st.lists(names | alike, unique=True))
def test_names_have_file_names_of_their_own_on_every_disk(drawn: list[str]) -> None:
    files = [file_name(name) for name in drawn]

    assert len({file.casefold() for file in files}) == len(drawn)


@given(names | alike | st.text(st.characters(categories=["Cs", "Cc"]), max_size=5))
def test_a_file_name_is_one_safe_part_of_a_path(name: str) -> None:
    file = file_name(name)

    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,99}", file)
    assert file not in ("con", "prn", "aux", "nul", "com1", "lpt9")


@pytest.mark.parametrize("name", ["amount_sum_7d", "x", "0"])
def test_plain_names_are_kept(name: str) -> None:
    assert file_name(name) == name
