"""The data of the history, of the page of each version, and of the comparison of any two."""

from collections.abc import Iterator, Mapping, Sequence

from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import FeatureStoreError
from featurestore.registry.diff import Change, diff
from featurestore.registry.health import kind_of
from featurestore.registry.plan import built_tables
from featurestore.registry.version import RegistryVersion
from featurestore.site.documents.parts import Document, moment, safe
from featurestore.site.scripts import script

CHUNK = 20
"""The versions of one script of the comparison."""


def version_summary(version: RegistryVersion) -> Document:
    """Return one applied version, without its differences."""
    return {
        "version": version.version,
        "applied_at": moment(version.applied_at),
        "applied_by": safe(version.applied_by),
        "changes": [safe(change) for change in version.changes],
    }


def version_document(version: RegistryVersion, previous: RegistryVersion | None) -> Document:
    """Return a version with its differences from the version before.

    A version that cannot be read, because it is damaged or newer, says so in ``error``.
    """
    document = {
        "schema": "featurestore.site.version/1",
        **version_summary(version),
        "previous": None if previous is None else previous.version,
        "error": None,
    }
    try:
        before = Manifest() if previous is None else previous.manifest
        after = version.manifest
    except FeatureStoreError as error:
        return {**document, "differences": [], "builds": [], "error": safe(str(error))}
    owners = {
        (kind_of(each), each.name): safe(each.owner)
        for each in (*before.definitions, *after.definitions)
    }
    return {
        **document,
        "differences": [_difference(change, owners) for change in diff(before, after)],
        "builds": list(built_tables(before, after)),
    }


def comparison_scripts(documents: Sequence[Document]) -> Iterator[tuple[str, str]]:
    """Yield the scripts with the differences of each version but the first, by their numbers.

    The browser makes the differences of any two versions of them. So their size grows with what
    was changed, not with the number of pairs.

    Args:
        documents: The data of the versions' pages, the oldest first.
    """
    chunks: dict[int, dict[str, Document]] = {}
    for document in documents[1:]:
        own = {name: document[name] for name in ("error", "differences")}
        number = document["version"]
        chunks.setdefault(number // CHUNK, {})[str(number)] = own
    for number, versions in chunks.items():
        yield f"history/changes-{number}.js", script("featurestoreChanges", versions)


def _difference(change: Change, owners: Mapping[tuple[str, str], str]) -> Document:
    return {
        "action": change.action,
        "kind": change.kind,
        "name": change.name,
        "owner": owners.get((change.kind, change.name), ""),
        "breaking": change.is_breaking,
        "reason": change.removal,
        "fields": [
            {
                "field": detail.field,
                "old": None if detail.old is None else safe(detail.old),
                "new": None if detail.new is None else safe(detail.new),
                "breaking": detail.breaking,
            }
            for detail in change.details
        ],
    }
