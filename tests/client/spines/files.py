"""Files of spines, written from their text and read."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa

from featurestore.client.spines.read import read_spine
from featurestore.definitions.model.types import DataType


def reader(name: str, types: Mapping[str, DataType]) -> Callable[..., pa.Table]:
    """Return a function that writes a text to a file of this name, and reads its rows."""

    def read(
        tmp_path: Path, text: str | bytes, declared: Mapping[str, DataType] = types
    ) -> pa.Table:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_spine(path, declared)

    return read
