"""Tables on a terminal: names and times are readable at any width."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len
from rich.text import Text

from featurestore.cli.output import print_table, print_tree, to_text
from featurestore.cli.read import _LEAST, _status_table
from featurestore.client.status import ViewStatus

COLUMNS = ["view", "rows", "newest event"]
ROWS = [["customer_activity", 1500, "2026-11-28 05:50:49Z"], ["rate", 2, None]]
MOMENT = datetime(2026, 11, 28, 5, 50, 49, tzinfo=UTC)
NAMES = [
    *("customer_activity", "card_spending", "merchant_chargebacks"),
    *("device_fingerprints", "basket_ratio"),
]
SCHEDULED = {
    "schedule": "@hourly",
    "freshness": "due",
    "late_seconds": 7_500,
    "rows_quarantined": 12,
    "last_failure": "the disk is full",
    "last_failure_at": MOMENT,
}
# The columns and a row of the tables of each verb.
TABLES = {
    "materialize": {
        "view": "customer_activity",
        "kind": "run",
        "status": "nothing new",
        "version": 1,
        "rows in": 0,
        "rows out": 0,
        "null keys": 0,
        "seconds": 0.1,
    },
    "materialize --latest": {
        "view": "customer_activity",
        "latest version": 3,
        "keys": 12_000_000,
        "files written": 3,
        "files kept": 21,
    },
    "status": {
        "view": "customer_activity",
        "state": "never materialized",
        "version": None,
        "rows": 0,
        "newest event": None,
        "last run": "failed",
        "started": MOMENT,
    },
    "history": {
        "version": 12,
        "applied at": MOMENT.replace(microsecond=123456),
        "applied by": "somebody",
        "changes": "+ view customer_activity\n+ service returns_v1",
    },
    "verify": {"view": "activity", "cells": 120_000, "differences": 2, "rows": ":key: [1, 2]"},
    "latest": {
        "merchant_id": "a" * 30,
        "名前": "東京都千代田区",
        **{f"merchant_activity__amount_mean_{days}d": days / 7 for days in (7, 30, 90)},
    },
}


@pytest.fixture
def terminal(monkeypatch, capsys):
    """Return the lines of a table on a terminal of a width."""
    monkeypatch.setenv("FORCE_COLOR", "1")

    def print_on(
        width: int,
        rows: list[list[object]],
        columns: list[str] = COLUMNS,
        title: str = "",
        least: Sequence[str] = (),
        *,
        err: bool = False,
    ) -> list[str] | tuple[list[str], str]:
        monkeypatch.setenv("COLUMNS", str(width))
        print_table(columns, rows, title, least)
        printed = capsys.readouterr()
        lines = Text.from_ansi(printed.out).plain.splitlines()
        lines = [line.rstrip() for line in lines if line.strip()]
        return (lines, printed.err) if err else lines

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


@pytest.mark.parametrize("width", range(20, 200, 5))
@pytest.mark.parametrize("verb", TABLES)
def test_every_word_of_every_cell_is_printed_whole(terminal, verb, width):
    columns, row = list(TABLES[verb]), list(TABLES[verb].values())

    lines = terminal(width, [row], columns, "The rows of a table")

    words = " ".join(lines).split()
    texts = ["The rows of a table", *columns, *map(to_text, row)]
    for text in texts:
        for word in text.split():
            words.remove(word)  # an error if it is not there
    assert not set("".join(words)) - set("─")


@pytest.mark.parametrize("width", [40, 60, 79, 80, 200])
@pytest.mark.parametrize("verb", TABLES)
def test_a_table_is_no_wider_than_its_terminal(terminal, verb, width):
    columns, row = list(TABLES[verb]), list(TABLES[verb].values())

    lines = terminal(width, [row], columns)

    is_table = any("──" in line for line in lines)
    assert not is_table or max(map(cell_len, lines)) <= width
    assert is_table or lines[0].startswith(columns[0])


def test_the_least_columns_are_left_out_in_their_order_and_named(terminal):
    found = {}
    for width in (60, 40, 28, 20):
        lines, err = terminal(width, ROWS, least=["rows", "newest event"], err=True)
        shown = [name for name in COLUMNS if name.split()[-1] in " ".join(lines[:3])]
        found[width] = shown, [name for name in COLUMNS if name in err]

    assert found[60] == (COLUMNS, [])
    assert found[40] == (["view", "newest event"], ["rows"])
    assert found[28] == (["view"], ["rows", "newest event"])
    assert found[20] == (COLUMNS, [])  # a block for each row has them all


def test_the_status_of_five_scheduled_views_is_a_table_at_80_columns(terminal):
    views = [
        ViewStatus(name, 12, "current", 14, 1_500_000, MOMENT, "nothing", MOMENT, **SCHEDULED)
        for name in NAMES
    ]

    lines = terminal(80, _status_table(views)[1], _status_table(views)[0], least=_LEAST)

    assert [line.split()[0] for line in lines[3::2]] == NAMES
    assert max(map(cell_len, lines)) <= 80
    shown = " ".join(lines[:2]).split()
    assert [word in shown for word in ("state", "rows", "run", "schedule")] == [True] * 4


def test_a_block_aligns_the_lines_of_a_cell(terminal):
    assert terminal(20, [[1, "one change\nanother"]], ["version", "the changes"])[-2:] == [
        "the changes  one change",
        "             another",
    ]


def test_headings_that_do_not_fit_are_printed_without_a_table(terminal):
    assert terminal(10, []) == ["view  rows  newest event"]


def test_without_rows_the_headings_are_printed(terminal):
    lines = terminal(40, [])

    assert [name in lines[0] for name in ("view", "rows", "newest")] == [True] * 3


def test_a_dumb_terminal_has_its_own_width_too(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")

    assert terminal(40, ROWS)[0] == "view          customer_activity"


def test_a_tree_breaks_between_words_only(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    names = ", ".join(f"amount_sum_{days}d" for days in range(1, 9))

    print_tree(["+ view activity", f"    + features: {names}", ""])

    lines = Text.from_ansi(capsys.readouterr().out).plain.splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(" ".join(lines[1:]).split()) == f"+ features: {names}"
    assert lines[2].startswith("        ")


def test_a_pipe_has_the_width_that_columns_says(monkeypatch, capsys):
    names = ", ".join(f"amount_sum_{days}d" for days in range(1, 9))
    monkeypatch.delenv("COLUMNS", raising=False)
    print_tree([f"+ {names}"])
    monkeypatch.setenv("COLUMNS", "40")
    print_tree([f"+ {names}"])

    first, *others = capsys.readouterr().out.splitlines()

    assert first == f"+ {names}"
    assert len(others) > 1
    assert max(map(len, others)) <= 40
