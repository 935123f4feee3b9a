"""`RegistryVersion`: one applied state of all definitions."""

import json
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from functools import cached_property

from featurestore.definitions.model.manifest import Manifest
from featurestore.registry.codec import decode


@dataclass(frozen=True)
class RegistryVersion:
    """One version of the applied definitions.

    Args:
        version: Its number, from 1.
        applied_at: The moment of the apply, in UTC.
        applied_by: The name of the user who applied it.
        digest: The fingerprint of all its definitions.
        changes: Its changes, one line for each definition, such as ``"+ view card_activity"``.
        read: Reads its document, canonical JSON; called at most once.
    """

    version: int
    _: KW_ONLY
    applied_at: datetime
    applied_by: str
    digest: str
    changes: tuple[str, ...]
    read: Callable[[], str] = field(repr=False, compare=False)

    def __repr__(self) -> str:
        """Return its number, its time and the number of its changes."""
        at = f"{self.applied_at:%Y-%m-%d %H:%M:%SZ}"
        return f"RegistryVersion({self.version}, applied {at}, {len(self.changes)} changes)"

    @cached_property
    def document(self) -> str:
        """All its definitions, as canonical JSON."""
        return self.read()

    @cached_property
    def manifest(self) -> Manifest:
        """All its definitions, decoded; they contain no code to run."""
        return decode(json.loads(self.document))
