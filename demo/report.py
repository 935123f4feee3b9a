"""The results of a domain as plain data, and how they are printed."""

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
        title: The line above the table.
        columns: The columns' names.
        rows: The cells.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Report:
    """The results of one domain.

    Args:
        domain: The domain's name.
        service: The feature service that its models use.
        spine: A noun for the rows of the training set, such as ``"payments"``.
        rows: The number of rows of the training set.
        features: The number of features of the store.
        scores: The models' scores.
        grids: Other tables, such as the newest values.
        remarks: Other results, one sentence each.
    """

    domain: str
    service: str
    spine: str
    rows: int
    features: int
    scores: Sequence[Score]
    grids: Sequence[Grid] = ()
    remarks: Sequence[str] = field(default_factory=tuple)


def print_report(console: Console, report: Report, *, is_saved: bool) -> None:
    """Print a domain's tables.

    Args:
        console: Where to print.
        report: The results.
        is_saved: Whether they are the saved results of an earlier run.
    """
    title = (
        f"[bold]{report.domain}[/]  {report.service}: {report.rows:,} {report.spine}, "
        f"{report.features} features"
    )
    if is_saved:
        title += "  [dim](nothing is new: the results of the last run)[/]"
    console.print()
    console.print(title)
    console.print(_score_table(report.scores))
    for remark in report.remarks:
        console.print(f"  {escape(remark)}", soft_wrap=True)
    for grid in report.grids:
        print_grid(console, grid)


def print_grid(console: Console, grid: Grid) -> None:
    """Print a small table. Long cells are wrapped."""
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
            f"{score.without_store:.3f}",
            f"[bold]{score.with_store:.3f}[/]",
        )
    return table


def _model(score: Score) -> str:
    return escape(score.model) + (f"\n[dim]{escape(score.note)}[/]" if score.note else "")
