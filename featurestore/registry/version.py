"""`RegistryVersion`: one applied state of all definitions."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from functools import cached_property

from featurestore.definitions.model.manifest import Manifest
from featurestore.registry.codec import decode

_SHORT = 4


@dataclass(frozen=True)
class RegistryVersion:
    """What was applied, when and by whom.

    Args:
        version: 1 for the first, then one more each.
        applied_at: When, in UTC.
        applied_by: Who: a user's name.
        digest: The fingerprint of all that it declares.
        changes: What it changed, one line a definition, such as ``"+ view card_activity"``.
        read: Reads its document, canonical JSON; called at most once.
    """

    version: int
    _: KW_ONLY
    applied_at: datetime
    applied_by: str
    digest: str
    changes: tuple[str, ...]
    read: Callable[[], str] = field(repr=False, compare=False)

    @property
    def summary(self) -> str:
        """The changes in a few words: their list where it is short, else their numbers."""
        if len(self.changes) <= _SHORT:
            return ", ".join(self.changes)
        marks = Counter(change.partition(" ")[0] for change in self.changes)
        words = {"+": "added", "~": "changed", "-": "removed"}
        return ", ".join(f"{marks[mark]} {word}" for mark, word in words.items() if marks[mark])

    @cached_property
    def document(self) -> str:
        """All that it declares, as canonical JSON."""
        return self.read()

    @cached_property
    def manifest(self) -> Manifest:
        """The definitions, decoded from JSON: data, with no code to run."""
        return decode(json.loads(self.document))
