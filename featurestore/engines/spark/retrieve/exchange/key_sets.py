"""Uses of views by their key sets: one exchange brings the rows of a key set together."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from featurestore.definitions.model.types import DataType, Int32, Int64
from featurestore.engines.arrays import Mask, validity, whole
from featurestore.query.nodes import KeyBinding, ViewQuery


@dataclass(frozen=True)
class KeySet:
    """The uses of views whose keys are in the same columns of the spine.

    Args:
        columns: The spine's columns with the keys, in ascending order; empty without keys.
        types: The type of each, the same for spine and stored rows.
        uses: The uses of views.
    """

    columns: tuple[str, ...]
    types: tuple[DataType, ...]
    uses: tuple[ViewQuery, ...]

    @property
    def moments(self) -> tuple[str, ...]:
        """The spine's columns with the moments of the uses, each once."""
        return tuple(dict.fromkeys(use.timestamp_field for use in self.uses))


def key_sets(uses: Iterable[ViewQuery]) -> tuple[KeySet, ...]:
    """Return the key sets of uses of views, in the order in which they come.

    Args:
        uses: The uses.

    Example:
        >>> from featurestore.query.nodes import KeyBinding
        >>> card = (KeyBinding("id", "card", Int32),)
        >>> a, b = (ViewQuery(name, keys=card, timestamp_field="t") for name in "ab")
        >>> [(each.columns, len(each.uses)) for each in key_sets([a, b])]
        [(('card',), 2)]
    """
    groups: dict[tuple[tuple[str, DataType], ...], list[ViewQuery]] = {}
    for use in uses:
        keys = [(key.spine_column, _exchanged(key.dtype)) for key in ordered_keys(use)]
        groups.setdefault(tuple(keys), []).append(use)
    return tuple(
        KeySet(tuple(name for name, _ in keys), tuple(dtype for _, dtype in keys), tuple(group))
        for keys, group in groups.items()
    )


def has_all_keys(key_set: KeySet, bound: pa.Table) -> Mask:
    """Return which spine rows have all keys of a key set: a row with a null key matches none.

    Args:
        key_set: The key set.
        bound: The rows, with the key columns.
    """
    present = np.ones(bound.num_rows, np.bool_)
    for name in key_set.columns:
        valid = validity(whole(bound[name]))
        if valid is not None:
            present &= valid
    return present


def ordered_keys(use: ViewQuery) -> list[KeyBinding]:
    """Return the keys of a use in the order of its key set."""
    return sorted(use.keys, key=lambda key: key.spine_column)


def _exchanged(dtype: DataType) -> DataType:
    # Columns of two widths cannot be joined, nor counted together, as they are.
    return Int64 if dtype == Int32 else dtype
