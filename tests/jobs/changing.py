"""A source that is changed in path, and its state at each moment, in Python."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Float64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.kernel import answer_view
from featurestore.query.compile import compile_view
from featurestore.store.columns import UTC_MICROS

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CARD = Entity("card", join_keys=(Field("card_id", String),))
ORDERS = DeltaSource(
    "orders", path="orders", timestamp_field="at", unique_by=("order_id",), change_feed=True
)
LAST = FeatureView(
    "last", entities=(CARD,), source=ORDERS, schema=(Field("amount", Float64),), latest=False
)

Order = tuple[str, str, float, float]
"""An order's id, its card, hours after noon, and an amount."""


@dataclass
class Orders:
    """A Delta table of orders with a change feed. Times of commits are hours after noon.

    Args:
        folder: The folder of the table.
        states: The time of each commit, and the orders by id after it.
        enabled: Whether the table records its changes.
    """

    folder: Path
    states: list[tuple[float, dict[str, Order]]] = field(default_factory=list)
    enabled: bool = True

    @property
    def path(self) -> Path:
        return self.folder / "orders"

    def insert(self, hour: float, *orders: Order) -> None:
        """Append orders in one commit."""
        settings = {"delta.enableChangeDataFeed": "true"} if self.enabled else {}
        write_deltalake(self.path, as_table(orders), mode="append", configuration=settings)
        self._committed(hour, {order[0]: order for order in orders})

    def update(self, hour: float, *orders: Order) -> None:
        """Merge orders in one commit: existing ids are changed, others are inserted."""
        (
            DeltaTable(self.path)
            .merge(as_table(orders), "old.order_id = new.order_id", "new", "old")
            .when_matched_update_all()
            .when_not_matched_insert_all()
            .execute()
        )
        self._committed(hour, {order[0]: order for order in orders})

    def delete(self, hour: float, *ids: str) -> None:
        """Delete orders in one commit."""
        listed = ", ".join(f"'{name}'" for name in ids)
        DeltaTable(self.path).delete(f"order_id IN ({listed})")
        self._committed(hour, dict.fromkeys(ids))

    def stamp(self, hour: float) -> None:
        """Set the time of the newest commit, which Delta reads from the log's file."""
        newest = max((self.path / "_delta_log").glob("*.json"))
        moment = at(hour).timestamp()
        os.utime(newest, (moment, moment))

    def state(self, hour: float) -> dict[str, Order]:
        """The orders by id at a moment."""
        return [state for time, state in self.states if time <= hour][-1]

    def truth(self, card: str, hour: float, *, snapshot: float, below: float) -> float | None:
        """The amount of a card's newest order as of a moment; only orders below a limit count.

        Before the first snapshot was read, its rows are visible from their events on.
        """
        state = self.state(max(hour, snapshot))
        of_card = [order for order in state.values() if order[1] == card and order[3] < below]
        visible = [order for order in of_card if order[2] <= hour]
        return max(visible, key=lambda order: order[2])[3] if visible else None

    def moments(self) -> list[float]:
        """Moments before, at and after each commit and each event."""
        events = {order[2] for _, state in self.states for order in state.values()}
        times = events | {time for time, _ in self.states}
        return sorted({time + step for time in times for step in (-0.25, 0, 0.25)})

    def _committed(self, hour: float, changed: "dict[str, Order] | dict[str, None]") -> None:
        self.stamp(hour)
        state = dict(self.states[-1][1]) if self.states else {}
        state |= {name: order for name, order in changed.items() if order is not None}
        for name in [name for name, order in changed.items() if order is None]:
            del state[name]
        self.states.append((hour, state))


def at(hour: float) -> datetime:
    """The time this many hours after noon."""
    return NOON + timedelta(hours=hour)


def as_table(orders: tuple[Order, ...]) -> pa.Table:
    """Orders as Arrow."""
    ids, cards, hours, amounts = zip(*orders, strict=True)
    return pa.table(
        {
            "order_id": ids,
            "card_id": cards,
            "at": pa.array([at(hour) for hour in hours], UTC_MICROS),
            "amount": amounts,
        }
    )


def as_spine(rows: list[tuple[str, float]], key: str = "card_id") -> pa.Table:
    """A spine of keys at hours after noon."""
    return pa.table(
        {
            key: pa.array([name for name, _ in rows]),
            "event_timestamp": pa.array([at(hour) for _, hour in rows], UTC_MICROS),
        }
    )


def answers(
    view: FeatureView, table: DeltaTable, spine: list[tuple[str, float]], key: str = "card_id"
) -> list[object]:
    """The kernel's answers of the view's first feature, for keys at hours after noon."""
    rows = pa.table(table.scan())
    rows = rows.cast(pa.schema(table.schema().to_arrow()))
    query = compile_view(view)
    return answer_view(query, as_spine(spine, key), rows)[query.outputs[0]].to_pylist()
