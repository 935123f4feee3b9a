"""Open data files of a snapshot."""

from dataclasses import dataclass

import pyarrow.parquet as pq

from featurestore.store.delta.footer import Footer
from featurestore.store.delta.snapshot import Snapshot
from featurestore.store.paths import is_local


@dataclass(frozen=True)
class OpenFile:
    """An open data file and its footer."""

    data: pq.ParquetFile
    footer: Footer


def open_file(snapshot: Snapshot, path: str, text_as_dictionary: tuple[str, ...] = ()) -> OpenFile:
    """Open a data file; its footer is read once for each snapshot.

    Args:
        snapshot: The pinned table.
        path: The file's path in `Snapshot.files`.
        text_as_dictionary: The text columns to read as dictionaries, which is several times
            faster if values repeat.
    """
    cached = snapshot.footers.get(path)
    data = pq.ParquetFile(
        snapshot.filesystem.open_input_file(path),
        metadata=None if cached is None else cached.metadata,
        read_dictionary=list(text_as_dictionary),
        # A second thread that reads ahead hides the delays of a network. From a disk it doubles
        # the time, because it fills the cache of another core.
        pre_buffer=not is_local(snapshot.uri),
    )
    footer = cached or snapshot.footers.setdefault(path, Footer(data.metadata))
    return OpenFile(data, footer)
