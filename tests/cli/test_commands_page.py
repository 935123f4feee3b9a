"""docs/commands.md shows the verbs, options and exit codes that the program has."""

import re

import pytest

from tools import draw_commands
from tools.draw_commands import PAGE, begin_of, end_of, exit_code_table, verb_text, verbs

TEXT = PAGE.read_text("utf-8")


def test_the_page_is_not_stale() -> None:
    assert draw_commands.page(TEXT) == TEXT, "run: python -m tools.draw_commands"


def test_a_changed_option_is_noticed_and_other_text_stays() -> None:
    changed = TEXT.replace("| `--sample` |", "| `--size` |")

    assert changed != TEXT
    assert draw_commands.page(changed) == TEXT


def test_each_verb_has_a_section_in_the_order_of_the_programs_help() -> None:
    headings = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)

    assert headings == ["Exit codes", *verbs()]


@pytest.mark.parametrize("comment", [begin_of, end_of])
def test_a_verb_without_its_comments_is_an_error(comment) -> None:
    with pytest.raises(ValueError, match="plan"):
        draw_commands.page(TEXT.replace(comment("plan"), ""))


def test_a_verbs_text_has_its_usage_and_a_row_for_each_argument() -> None:
    lines = verb_text("latest").splitlines()

    assert "featurestore latest FEATURES [KEYS...] [OPTIONS]" in lines
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    assert [row[:3] for row in rows[2:]] == [
        ["`FEATURES`", "text", "required"],
        ["`KEYS`", "texts", "none"],
        ["`--rows`", "text", "none"],
        ["`--at`", "text", "now"],
        ["`-p`, `--project`", "path", "current folder"],
        ["`--env`", "text", "FEATURESTORE_ENV"],
        ["`--delimiter`", "text", "a comma"],
        ["`--out`", "text", "none"],
        ["`--format`", "`table`, `csv` or `json`", "table"],
    ]
    assert "| `--json` | flag | off |" in verb_text("status")


def test_each_exit_code_has_its_errors() -> None:
    rows = [line.strip("| ").split(" | ") for line in exit_code_table().splitlines()[2:]]

    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4", "5", "70", "130"]
    errors = {row[0]: row[2] for row in rows if len(row) == 3}
    assert "`SourceError`" in errors["1"]
    assert "`SpineError`" in errors["2"]
    assert errors["5"] == "`ConflictError`"
