"""The parts of a distributed frame: which rows of a batch are in them. Spark pickles these."""

from dataclasses import KW_ONLY, dataclass
from datetime import tzinfo

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.frame.splits import TimeSplit, held_out_entities, moments


@dataclass(frozen=True)
class TimePart:
    """The training rows or the test rows of a split by time.

    Args:
        split: The split.
        call: The user's call, for messages.
        name: The time column.
        timezone: The zone of times without one.
        test: Whether the part has the test rows.
    """

    split: TimeSplit
    _: KW_ONLY
    call: str
    name: str
    timezone: str | tzinfo | None
    test: bool

    def __call__(self, rows: pa.Table) -> pa.Array:
        """Return which rows are in the part."""
        times = moments(self.call, rows, self.name, self.timezone)
        return _array(self.split.masks(times)[self.test])


@dataclass(frozen=True)
class EntityPart:
    """The training rows or the test rows of a split by entities.

    Args:
        names: The columns that identify an entity.
        share: The approximate share of the test entities.
        seed: Another seed selects other entities.
        test: Whether the part has the test rows.
    """

    names: tuple[str, ...]
    _: KW_ONLY
    share: float
    seed: int
    test: bool

    def __call__(self, rows: pa.Table) -> pa.Array:
        """Return which rows are in the part."""
        in_test = held_out_entities(rows, self.names, self.share, self.seed)
        return in_test if self.test else pc.invert(in_test)


def _array(mask: pa.ChunkedArray) -> pa.Array:
    whole = mask.combine_chunks()
    return pc.fill_null(whole, False)
