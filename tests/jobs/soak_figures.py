"""The figures that `make soak` prints: what was tried, and what went wrong."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from featurestore.store import fault_points


@dataclass
class Figures:
    """Counts of a whole session of tests.

    Args:
        rounds: The number of times that stored rows were compared with what they must be.
        rows_checked: The number of rows that were compared.
        lost: The number of rows that were missing.
        doubled: The number of rows that should not have been there.
        reads: The number of reads beside runs.
        refused: The number of reads that raised an error.
        torn: The number of reads that saw a part of a commit, or went back.
        faults: The number of injected faults by name.
    """

    rounds: int = 0
    rows_checked: int = 0
    lost: int = 0
    doubled: int = 0
    reads: int = 0
    refused: int = 0
    torn: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def compare(self, expected: Iterable[object], stored: Iterable[object]) -> None:
        """Count one round, and what is lost or doubled in stored rows."""
        must, has = Counter(expected), Counter(stored)
        self.rounds += 1
        self.rows_checked += must.total()
        self.lost += (must - has).total()
        self.doubled += (has - must).total()

    def lines(self) -> list[str]:
        """Return the figures as lines of text."""
        faults = ", ".join(f"{name} {count:,}" for name, count in sorted(self.faults.items()))
        return [
            f"rounds run: {self.rounds:,}; rows checked: {self.rows_checked:,}",
            f"faults injected: {self.faults.total():,} ({faults or 'none'})",
            f"lost: {self.lost:,}; doubled: {self.doubled:,}",
            f"reads: {self.reads:,}; refused: {self.refused:,}; torn: {self.torn:,}",
        ]


class _FaultCounter(logging.Handler):
    """Counts the faults of this process by what they log."""

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple) and len(record.args) == 3:
            FIGURES.faults[str(record.args[1])] += 1


FIGURES = Figures()
logging.getLogger(fault_points.__name__).addHandler(_FaultCounter())
