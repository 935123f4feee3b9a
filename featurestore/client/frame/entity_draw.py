"""Drawing entities by a hash of their keys: the same draw on every machine and in every order."""

import hashlib
import json

import pyarrow as pa

_RANGE = 2**64


def drawn(keys: pa.Table, share: float, seed: int) -> pa.Array:
    """Return which rows belong to an entity that is drawn.

    Args:
        keys: The columns that name an entity; nulls count as a key of their own.
        share: About which share of the entities is drawn, from 0 to 1.
        seed: Another seed draws others.

    Returns:
        Booleans, one a row.

    Example:
        >>> drawn(pa.table({"id": [1, 1, 2]}), 1.0, 0).to_pylist()
        [True, True, True]
    """
    entities = list(zip(*(column.to_pylist() for column in keys.columns), strict=True))
    chosen = {entity: _place(entity, seed) < share * _RANGE for entity in set(entities)}
    return pa.array([chosen[entity] for entity in entities], pa.bool_())


def _place(entity: tuple[object, ...], seed: int) -> int:
    """Return a number from 0 to 2**64 - 1, evenly spread over entities."""
    text = json.dumps([seed, *entity], default=str)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
