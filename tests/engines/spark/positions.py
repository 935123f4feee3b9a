"""The checkpoint of a stream whose batches have begun, as Spark leaves it."""

from featurestore.store.file_system import write_text


def begun(checkpoint: str, batches: int) -> str:
    """Write the positions of a source's first batches into a checkpoint; return its address."""
    for batch in range(batches):
        write_text(f"{checkpoint}/offsets/{batch}", f'v1\n{{}}\n{{"logOffset":{batch}}}')
    return checkpoint
