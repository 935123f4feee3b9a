"""`RegistryVersion`: one applied state of all definitions."""

import json
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field, fields
from datetime import datetime
from functools import cached_property, partial
from itertools import chain
from typing import Any

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.rules.aggregations import (
    columns_exist,
    functions_exist,
    windows_are_durations,
)
from featurestore.definitions.rules.argument_types import arguments_have_their_types
from featurestore.definitions.rules.dtypes import fields_have_known_types
from featurestore.definitions.rules.names import (
    columns_have_plain_names,
    definitions_have_plain_names,
)
from featurestore.definitions.rules.on_demand import expressions_fit_the_schema, inputs_exist
from featurestore.definitions.rules.services import features_exist
from featurestore.definitions.rules.views import durations_are_durations
from featurestore.errors import DefinitionError, TableError
from featurestore.registry.codec import SCHEMA, decode, document_fingerprint

# What damaged JSON raises: bad syntax, missing keys, wrong types, too many levels, no argument.
_UNDECODABLE = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError),
    DefinitionError,
)
# What later code relies on. The others may be newer than the release that applied the definitions.
_RULES = (
    *(arguments_have_their_types, fields_have_known_types),
    *(definitions_have_plain_names, columns_have_plain_names),
    *(columns_exist, functions_exist, windows_are_durations),
    *(durations_are_durations, inputs_exist, expressions_fit_the_schema, features_exist),
)


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

    def __getstate__(self) -> dict[str, Any]:
        """Pickle and copy with the document, without the open table from which it is read."""
        state = {each.name: getattr(self, each.name) for each in fields(self)}
        return state | {"read": partial(str, self.document)}

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
        """All its definitions, decoded; they contain no code to run.

        Raises:
            TableError: The document was damaged or changed after its apply, or a newer release
                wrote it.
        """
        try:
            document = json.loads(self.document)
            # Of another form, only the release that wrote it knows the fingerprint.
            if document["schema"] == SCHEMA and document_fingerprint(document) != self.digest:
                found = "its definitions differ from those that were applied"
                raise damaged(self.version, f"{found}: their fingerprint is not {self.digest!r}")
            manifest = decode(document)
            for issue in chain.from_iterable(rule(manifest) for rule in _RULES):
                raise damaged(self.version, issue.message)
        except _UNDECODABLE as error:
            found = f"its definitions cannot be decoded ({type(error).__name__}: {error})"
            raise damaged(self.version, found) from error
        return manifest


def damaged(version: object, found: str) -> TableError:
    """Return the error of a registry's row that is not as an apply wrote it.

    Args:
        version: The number in the row.
        found: What is wrong with the row.

    Example:
        >>> damaged(3, "it has no definitions").call
        'read version 3 of the applied definitions'
    """
    return TableError(
        f"read version {version} of the applied definitions",
        found,
        "The registry's table was damaged or changed. Restore the table `registry/versions` of "
        "the store to a Delta version before that, for example by "
        "DeltaTable(path).restore(version) of deltalake. Then run `featurestore plan` and "
        "`featurestore apply`.",
    )
