"""A sample of entities by a hash of their keys: the same on each machine and in each row order."""

import hashlib
import json

import pyarrow as pa

_RANGE = 2**64


def sample_entities(keys: pa.Table, share: float, seed: int) -> pa.Array:
    """Return which rows belong to a sampled entity.

    Args:
        keys: The columns that identify an entity. A null is a key of its own.
        share: The approximate share of the entities, from 0 to 1.
        seed: Another seed selects other entities.

    Returns:
        A Boolean for each row.

    Example:
        >>> sample_entities(pa.table({"id": [1, 1, 2]}), 1.0, 0).to_pylist()
        [True, True, True]
    """
    entities = list(zip(*(column.to_pylist() for column in keys.columns), strict=True))
    is_sampled = {entity: _hash(entity, seed) < share * _RANGE for entity in set(entities)}
    return pa.array([is_sampled[entity] for entity in entities], pa.bool_())


def _hash(entity: tuple[object, ...], seed: int) -> int:
    """Return a number from 0 to 2**64 - 1, evenly spread over entities."""
    text = json.dumps([seed, *entity], default=str)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
