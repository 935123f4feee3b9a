"""A sample of entities by a hash of their keys: the same on each machine and in each row order."""

import hashlib
import json

import pyarrow as pa

from featurestore.client.plain_types import plain_column

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
    columns = (plain_column(column).to_pylist() for column in keys.columns)
    # Texts, because lists and maps are keys too, and have no hash in Python.
    entities = [json.dumps([seed, *row], default=str) for row in zip(*columns, strict=True)]
    is_sampled = {entity: _hash(entity) < share * _RANGE for entity in set(entities)}
    return pa.array([is_sampled[entity] for entity in entities], pa.bool_())


def _hash(text: str) -> int:
    """Return a number from 0 to 2**64 - 1, evenly spread over texts."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
