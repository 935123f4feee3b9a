"""Partitions that a topic got after offsets were noted.

Spark takes offsets to begin at only if they name each partition of the topic. It says which ones
there are in the text of its error. No other interface of Spark does, without reading messages.
"""

import json
import re

# Batches and streams begin this text with other sentences.
_INCOMPLETE = re.compile(r"Specified: \w+\([^()]*\) Assigned: \w+\(([^()]*)\)")
_PARTITION = re.compile(r"(?P<topic>[A-Za-z0-9._-]+)-(?P<number>\d+)")


def with_added_partitions(offsets: str, failure: str) -> str | None:
    """Return offsets with the beginning of each partition that they lack; None if they lack none.

    The beginning is offset 0, and not the first message that is still there: a partition that was
    added after the offsets were noted has no message that was read. If its first messages have
    expired, the stream reports them as lost.

    Args:
        offsets: The offsets as JSON, by topic and partition.
        failure: The text of Spark's error.

    Example:
        >>> failure = "Specified: Set(t-0) Assigned: Set(t-0, t-1)"
        >>> with_added_partitions('{"t": {"0": 7}}', failure)
        '{"t": {"0": 7, "1": 0}}'
        >>> with_added_partitions('{"t": {"0": 7}}', "the topic is gone") is None
        True
    """
    incomplete = _INCOMPLETE.search(failure)
    if incomplete is None:
        return None
    noted: dict[str, dict[str, int]] = json.loads(offsets)
    added = [
        found.group("topic", "number")
        for each in incomplete[1].split(",")
        if (found := _PARTITION.fullmatch(each.strip()))
    ]
    added = [(topic, number) for topic, number in added if number not in noted.get(topic, {})]
    for topic, number in added:
        noted.setdefault(topic, {})[number] = 0
    return json.dumps(noted) if added else None
