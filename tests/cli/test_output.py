"""Tables on a terminal: names and times are readable at any width."""

import pytest
from rich.text import Text

from featurestore.cli.output import print_table

COLUMNS = ["view", "rows", "newest event"]
ROWS = [["customer_activity", 1500, "2026-11-28 05:50:49Z"], ["rate", 2, None]]


@pytest.fixture
def terminal(monkeypatch, capsys):
    """Return the lines of a table on a terminal of a width."""
    monkeypatch.setenv("FORCE_COLOR", "1")

    def print_on(width: int, rows: list[list[object]]) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        print_table(COLUMNS, rows)
        lines = Text.from_ansi(capsys.readouterr().out).plain.splitlines()
        return [line.rstrip() for line in lines if line.strip()]

    return print_on


def test_a_table_folds_between_words(terminal):
    assert terminal(48, ROWS)[2:] == [
        "  customer_activity   1500   2026-11-28",
        "                             05:50:49Z",
        "  rate                   2   ·",
    ]


def test_a_terminal_that_is_too_narrow_has_a_block_for_each_row(terminal):
    assert terminal(40, ROWS) == [
        "view          customer_activity",
        "rows          1500",
        "newest event  2026-11-28 05:50:49Z",
        "view          rate",
        "rows          2",
        "newest event  ·",
    ]


def test_without_rows_the_headings_are_printed(terminal):
    lines = terminal(40, [])

    assert [name in lines[0] for name in ("view", "rows", "newest")] == [True] * 3
