"""The demo of streams, from an empty folder to scores of payments as they arrive.

Three things run side by side: a generator appends payments to a Delta table; the store
materializes it continuously; and each payment is scored with the features of its moment.
"""

import argparse
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import numpy as np
from rich.console import Console
from rich.live import Live
from sklearn.ensemble import HistGradientBoostingClassifier

import featurestore as fs
from demo.stream.definitions import remove_own_project, write_project
from demo.stream.payments import Generator, Payment, append
from demo.stream.screen import Screen
from featurestore.jobs.materialize.progress import ProgressEvent

FOLDER, SERVICE, VIEW = Path("data/stream"), "fraud_live_v1", "card_activity"
PAST, PAST_SECONDS, SEED = 6_000, 2.0, 7
SECONDS, PER_SECOND, TRIGGER, THRESHOLD = 60.0, 4.0, "1s", 0.5
_PATIENCE_SECONDS = 120.0
_FIRST_BATCH_SECONDS = 300.0
_INTRODUCTION = (
    "Card payments arrive. A model scores each with features that are seconds old.\n"
    "Look for a card that pays often and much: it is probably stolen, and is held."
)


def main(arguments: Sequence[str] = ()) -> None:
    """Run the demo in the current folder until its time is over, or until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m demo.stream", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long payments arrive")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="the demo's own project")
    options = parser.parse_args(list(arguments))
    console = Console(highlight=False)
    run(options.folder, console, options.seconds)


def run(folder: Path, console: Console, seconds: float = SECONDS) -> Screen:
    """Run the demo in a folder, which is made again, and return what was shown.

    Args:
        folder: The demo's own project.
        console: Where to print.
        seconds: How long payments arrive, from the first stored batch on.

    Raises:
        SystemExit: The folder has something else than the demo's own project.
    """
    remove_own_project(folder)
    write_project(folder)
    console.print(_INTRODUCTION)
    generator = Generator(SEED)
    past = list(generator.past(PAST, datetime.now(UTC), PAST_SECONDS))
    append(folder / "payments", past)
    with fs.FeatureStore(folder) as store:
        store.apply(store.plan())
        console.print(
            f"[bold]1[/] build the features of {PAST:,} past payments (Spark starts: some seconds)"
        )
        store.materialize(progress=False)
        console.print("[bold]2[/] train a model on them")
        model = _trained(store, past)
        console.print(f"[bold]3[/] payments arrive, {PER_SECOND:g} a second; Ctrl-C ends it")
        screen = Screen(console, THRESHOLD)
        live = Live(screen.table(), console=console) if console.is_terminal else None
        screen.live = live
        with live or nullcontext():
            _Stream(store, model, generator, screen).run(seconds)
            screen.end()
    console.print(f"\n{screen.closing()}")
    console.print(f"Next: featurestore status -p {folder}, then docs/streams.md", soft_wrap=True)
    return screen


def _trained(store: fs.FeatureStore, past: Sequence[Payment]) -> HistGradientBoostingClassifier:
    spine = [
        {"card_id": each.card_id, "amount": each.amount, "event_timestamp": each.paid_at}
        | {"is_fraud": each.is_fraud}
        for each in past[len(past) // 4 :]  # the first ones have no history
    ]
    rows = store.get_training_set(SERVICE, spine, label="is_fraud")
    names = ["amount", *rows.features]
    table = rows.to_arrow()
    inputs = np.column_stack([_floats(table[name].to_pylist()) for name in names])
    return HistGradientBoostingClassifier(max_iter=60).fit(inputs, table["is_fraud"].to_pylist())


@dataclass
class _Stream:
    """The payments that arrive, and those whose rows no feature has yet."""

    store: fs.FeatureStore
    model: HistGradientBoostingClassifier
    generator: Generator
    screen: Screen
    stop: Event = field(default_factory=Event)
    unseen: deque[tuple[float, int]] = field(default_factory=deque)
    appended: int = 0

    def run(self, seconds: float) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="continuous") as pool:
            future = pool.submit(
                self.store.materialize_continuously,
                VIEW,
                trigger=TRIGGER,
                stop=self.stop,
                progress=self._seen,
            )
            try:
                self._arrive(seconds, future)
            except KeyboardInterrupt:
                self.screen.console.print("stopping")
            finally:
                self.stop.set()
            future.result(_PATIENCE_SECONDS)

    def _arrive(self, seconds: float, future: "Future[object]") -> None:
        # The first batch takes long on a slow machine. Without it, there is nothing to see.
        deadline = time.monotonic() + _FIRST_BATCH_SECONDS
        is_stored = False
        while time.monotonic() < deadline and not future.done():
            if self.screen.batches and not is_stored:
                deadline, is_stored = time.monotonic() + seconds, True
            payment = self.generator.next(datetime.now(UTC))
            self.appended += 1
            # Before the append, so that no batch with this payment ends before it is here.
            self.unseen.append((time.monotonic(), self.appended))
            append(self.store.settings.folder / "payments", [payment])
            self._score(payment)
            time.sleep(1 / PER_SECOND)

    def _score(self, payment: Payment) -> None:
        """Score a payment with the features of its moment, as far as the store has them."""
        spine = [{"card_id": payment.card_id, "event_timestamp": payment.paid_at}]
        rows = self.store.get_historical_features(SERVICE, spine)
        values = rows.to_arrow().to_pylist()[0]
        inputs = np.array([_floats([payment.amount, *(values[name] for name in rows.features)])])
        self.screen.show(payment, values, float(self.model.predict_proba(inputs)[0, 1]))

    def _seen(self, event: ProgressEvent, /) -> None:
        """Note how long the rows of a batch have taken."""
        if event.phase != "done":
            return
        self.screen.batches += 1
        self.screen.stored += event.rows
        now = time.monotonic()
        # In the thread of the runs, while the other thread appends: each is taken out by itself.
        while self.unseen and self.unseen[0][1] <= self.screen.stored:
            self.screen.ages.append(now - self.unseen.popleft()[0])


def _floats(values: Sequence[object]) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values]  # type: ignore[arg-type]  # numbers
