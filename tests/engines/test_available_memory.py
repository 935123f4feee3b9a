"""The memory that is left, from the files of Linux."""

import pytest

from featurestore.engines.available_memory import available_memory


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(None, 8_000 * 1024), ("max", 8_000 * 1024), ("5000", 4_000), ("999", 0)],
)
def test_it_is_what_machine_and_container_leave(tmp_path, limit, expected):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       16000 kB\nMemAvailable:    8000 kB\nHugePages_Total: 0\n")
    if limit is not None:
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.current").write_text("1000\n")

    assert available_memory(meminfo, tmp_path) == expected


def test_a_machine_without_these_files_says_its_whole_memory_or_none(tmp_path):
    size = available_memory(tmp_path / "none", tmp_path)

    assert size is None or size > 10**8
