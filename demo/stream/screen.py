"""What the demo shows: a table that changes on a terminal, else a line for each payment."""

import statistics
from collections import deque
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from demo.stream.payments import Payment

# With the heading and the explanation, a terminal of 24 lines holds them.
_SHOWN = 11
# The headings and the least widths: columns do not move while values change.
_COLUMNS = {
    "paid at": 9,
    "card": 4,
    "amount\nEUR": 7,
    "payments\nin 60 s": 8,
    "sum of\n60 s": 7,
    "mean of\n1 day": 7,
    "probability\nof stolen": 11,
    "stolen\ncard": 6,
}
_MEANING = (
    "payments, sum, mean: features of the card just before this payment. "
    "probability: what the model says, that the card is stolen; hold from {threshold:g} on. "
    "stolen card: the truth, which the model does not see. ·: no earlier payment in that time."
)


@dataclass
class Screen:
    """The payments that were scored last, and how the stream does.

    Args:
        console: Where to print.
        threshold: The probability from which a payment is held.
        live: The changing part of a terminal; None for plain lines.
    """

    console: Console
    threshold: float
    live: Live | None = None
    rows: "deque[tuple[Payment, dict[str, object], float]]" = field(
        default_factory=lambda: deque(maxlen=_SHOWN)
    )
    ages: list[float] = field(default_factory=list)
    stored: int = 0
    batches: int = 0
    scored: int = 0
    held: int = 0
    held_stolen: int = 0
    stolen: int = 0

    def show(self, payment: Payment, values: dict[str, object], score: float) -> None:
        """Show a payment with its features and its score."""
        self.rows.append((payment, values, score))
        self.scored += 1
        self.stolen += payment.is_fraud
        if score >= self.threshold:
            self.held += 1
            self.held_stolen += payment.is_fraud
        if self.live is not None:
            self.live.update(self.table())
            return
        self.console.print(
            f"{payment.paid_at:%H:%M:%S}Z card {payment.card_id:>3} {payment.amount:>8.2f} "
            f"payments in 60 s: {values['count_60s'] or 0}, probability {score:.2f} "
            f"{self._decision(score)}; {self.stream()}",
            soft_wrap=True,
        )

    def end(self) -> None:
        """Show the last numbers: a batch may have ended after the last payment."""
        if self.live is not None:
            self.live.update(self.table())
        else:
            self.console.print(self.summary())

    def closing(self) -> str:
        """Return what was seen, in three lines."""
        others = self.held - self.held_stolen
        return (
            f"{self.scored} payments arrived, {self.stolen} of them with stolen cards.\n"
            f"The model held {self.held_stolen} of these {self.stolen}, and {others} others.\n"
            f"{self.stream()}"
        )

    def summary(self) -> str:
        """Return how the model and the stream do, in two lines."""
        held = f"{self.scored} payments scored, {self.held} held, {self.held_stolen} of these "
        return f"{held}of stolen cards\n{self.stream()}"

    def stream(self) -> str:
        """Return how the stream does, in one line."""
        age = f"{statistics.median(self.ages):.1f} s (median)" if self.ages else "not known yet"
        batches = "1 batch" if self.batches == 1 else f"{self.batches} batches"
        stored = f"{self.stored:,} payments stored in {batches}"
        return f"{stored}; from payment to feature: {age}"

    def table(self) -> Table:
        """Return the payments that were scored last as a table."""
        table = Table(
            title=self.summary(),
            title_justify="left",
            title_style="bold",
            caption=_MEANING.format(threshold=self.threshold),
            caption_justify="left",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
        )
        for name, width in _COLUMNS.items():
            table.add_column(name, justify="right", no_wrap=True, min_width=width)
        for payment, values, score in self.rows:
            colour = "red" if score >= self.threshold else "green"
            table.add_row(
                *(f"{payment.paid_at:%H:%M:%S}Z", str(payment.card_id), f"{payment.amount:.2f}"),
                str(values["count_60s"] or 0),
                _number(values["amount_sum_60s"]),
                _number(values["amount_mean_1d"]),
                f"[{colour}]{score:.2f} {self._decision(score)}[/]",
                "yes" if payment.is_fraud else "",
            )
        return table

    def _decision(self, score: float) -> str:
        return "hold" if score >= self.threshold else "pass"


def _number(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else "·"
