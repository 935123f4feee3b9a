"""What each process of a race does; light to import, since each is a new interpreter."""

import uuid
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from featurestore.errors import ConflictError
from featurestore.registry.plan import Plan
from featurestore.registry.registry import Registry
from featurestore.store.layout import Layout

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Unshared(Layout):
    """Locks that nobody shares, as on an object store: only the commit decides."""

    def registry_lock(self) -> str:
        return f"{self.root}/locks/registry-{uuid.uuid4()}.lock"


def race(layout: Layout, made: Plan, start: Barrier, outcomes: "Queue[str]") -> None:
    """Apply a plan when all processes are ready, and report the result."""
    registry = Registry(layout, lambda: NOON)
    start.wait()
    try:
        outcomes.put(f"v{registry.apply(made).version}")
    except ConflictError:
        outcomes.put("conflict")
