"""What a domain's run found out, as plain data, and how it is printed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.measure import Score

_SCORES = ("model", "score", "trained on", "measured on", "without store", "with store")


@dataclass(frozen=True)
class Grid:
    """A small table of text.

    Args:
        title: What it shows.
        columns: The columns' names.
        rows: The cells.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Report:
    """What a domain's run found out.

    Args:
        domain: The domain.
        service: The feature service that its models use.
        spine: What a row of the training set is.
        rows: Rows of the training set.
        features: Features that the store gives each of them.
        scores: The models' scores.
        grids: More tables: newest values, kinds of users and the like.
        remarks: What else was measured, a sentence each.
    """

    domain: str
    service: str
    spine: str
    rows: int
    features: int
    scores: Sequence[Score]
    grids: Sequence[Grid] = ()
    remarks: Sequence[str] = field(default_factory=tuple)


def print_report(console: Console, report: Report, *, remembered: bool) -> None:
    """Print a domain's tables."""
    title = (
        f"[bold]{report.domain}[/]  {report.service}: {report.rows:,} {report.spine}, "
        f"{report.features} features"
    )
    if remembered:
        title += "  [dim](nothing new since the last run: its scores)[/]"
    console.print()
    console.print(title)
    console.print(_score_table(report.scores))
    for remark in report.remarks:
        console.print(f"  {escape(remark)}", soft_wrap=True)
    for grid in report.grids:
        print_grid(console, grid)


def print_grid(console: Console, grid: Grid) -> None:
    """Print a small table; long cells fold."""
    table = Table(title=escape(grid.title), title_justify="left", box=SIMPLE_HEAD)
    for index, name in enumerate(grid.columns):
        table.add_column(escape(name), justify="left" if index == 0 else "right", overflow="fold")
    for row in grid.rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def _score_table(scores: Sequence[Score]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for index, name in enumerate(_SCORES):
        table.add_column(name, justify="left" if index < 2 else "right", overflow="fold")
    for score in scores:
        table.add_row(
            _model(score),
            score.metric + (" (lower is better)" if score.metric == "RMSE" else ""),
            f"{score.train_rows:,}",
            f"{score.test_rows:,}",
            f"{score.without:.3f}",
            f"[bold]{score.with_store:.3f}[/]",
        )
    return table


def _model(score: Score) -> str:
    return escape(score.model) + (f"\n[dim]{escape(score.note)}[/]" if score.note else "")
