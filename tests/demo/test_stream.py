"""The demo of streams without Spark: its payments, and what it shows."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from deltalake import DeltaTable
from rich.console import Console
from rich.live import Live

from demo.stream.definitions import remove_own_project, write_project
from demo.stream.payments import CARDS, Generator, append
from demo.stream.screen import Screen

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def test_payments_before_a_moment_are_in_order_and_some_cards_are_stolen() -> None:
    payments = list(Generator(7).past(2_000, NOW, seconds=2.0))

    moments = [payment.paid_at for payment in payments]
    stolen = [payment for payment in payments if payment.is_fraud]
    assert moments == sorted(moments)
    assert moments[-1] == NOW - timedelta(seconds=2)
    assert 0.02 < len(stolen) / len(payments) < 0.4
    assert all(0 <= payment.card_id < CARDS and payment.amount > 0 for payment in payments)


def test_each_append_is_a_commit_with_all_its_payments(tmp_path: Path) -> None:
    generator = Generator(7)
    append(tmp_path / "payments", list(generator.past(5, NOW, seconds=1.0)))
    append(tmp_path / "payments", [generator.next(NOW)])

    table = DeltaTable(tmp_path / "payments")
    assert table.version() == 1
    assert sorted(table.to_pyarrow_table()["payment_id"].to_pylist()) == [1, 2, 3, 4, 5, 6]


def test_without_a_terminal_each_payment_is_a_line_and_with_one_a_row() -> None:
    text = StringIO()
    screen = Screen(Console(file=text, width=40), threshold=0.5)
    generator = Generator(7)
    names = ("count_60s", "amount_sum_60s", "amount_mean_1d")

    for score in (0.1, 0.9):
        screen.show(generator.next(NOW), dict.fromkeys(names), score)

    assert (screen.scored, screen.held) == (2, 1)
    assert len(text.getvalue().splitlines()) == 2
    assert text.getvalue().count("09:30:00Z") == 2
    assert screen.table().row_count == 2


def test_a_terminal_of_80_columns_and_24_lines_shows_all_of_the_table() -> None:
    text = StringIO()
    console = Console(file=text, width=80)
    screen = Screen(console, threshold=0.5, live=Live(console=console))
    generator = Generator(7)
    values = {"count_60s": 1234, "amount_sum_60s": 1234.56, "amount_mean_1d": 1234.56}

    for _ in range(100):
        screen.show(generator.next(NOW), values, 1.0)
    console.print(screen.table())

    lines = text.getvalue().splitlines()
    assert "…" not in text.getvalue()
    assert len(lines) < 24
    assert sum("1234.56  1234.56" in line for line in lines) == screen.table().row_count > 5


def test_the_closing_words_count_the_stolen_cards_that_were_held_and_those_that_passed() -> None:
    screen = Screen(Console(file=StringIO()), threshold=0.5)
    payments = list(Generator(7).past(200, NOW, seconds=1.0))
    stolen = [payment for payment in payments if payment.is_fraud]
    calm = [payment for payment in payments if not payment.is_fraud]
    values = {"count_60s": None, "amount_sum_60s": None, "amount_mean_1d": None}

    for payment, score in [(stolen[0], 0.9), (stolen[1], 0.1), (calm[0], 0.9), (calm[1], 0.1)]:
        screen.show(payment, values, score)

    counts = (screen.scored, screen.stolen, screen.held, screen.held_stolen)
    assert counts == (4, 2, 2, 1)
    assert max(len(line) for line in screen.closing().splitlines()) < 80


def test_the_demo_removes_its_own_project_only(tmp_path: Path) -> None:
    own, empty, others = (tmp_path / name for name in ("own", "empty", "others"))
    write_project(own)
    empty.mkdir()
    others.mkdir()
    (others / "featurestore.toml").write_text('project = "shop"\n', "utf-8")

    for folder in (own, empty, tmp_path / "new"):
        remove_own_project(folder)
        assert not folder.exists()
    with pytest.raises(SystemExit):
        remove_own_project(others)
    assert (others / "featurestore.toml").exists()
