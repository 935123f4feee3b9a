"""References in the addresses of applied sources, which are resolved only if they are declared.

Whoever can write the registry can change the address of a source. A reference in a changed address
would send the value of any environment variable to a host that they choose.
"""

from collections.abc import Callable

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import KafkaSource, StoredSource
from featurestore.environment import has_references
from featurestore.errors import FeatureStoreError, SetupError


def require_declared(source: StoredSource, loaded: Callable[[], Manifest], call: str) -> None:
    """Refuse an applied source with references that the loaded definitions do not have.

    The definitions are loaded only for an address with references.

    Args:
        source: The applied source.
        loaded: Returns the definitions of the project's folder.
        call: The operation, for the message.

    Raises:
        SetupError: The loaded definitions have no source of that name with that very address.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="data/paid", timestamp_field="at")
        >>> require_declared(paid, Manifest, "sql()")
    """
    if not any(has_references(text) for text in _addresses(source)):
        return
    try:
        declared = loaded().sources
    except FeatureStoreError as error:
        raise _undeclared(source, call, f" do not show: {error.found}") from error
    if not any(
        isinstance(each, StoredSource)
        and (each.name, _addresses(each)) == (source.name, _addresses(source))
        for each in declared
    ):
        raise _undeclared(source, call, " do not have")


def _addresses(source: StoredSource) -> tuple[str, ...]:
    """Return the texts of a source that may have references."""
    return (source.location, *(source.options if isinstance(source, KafkaSource) else ()))


def _undeclared(source: StoredSource, call: str, why: str) -> SetupError:
    return SetupError(
        call,
        f"the registry's source {source.name!r} has the address {source.location!r}, with "
        f"references to environment variables, which the loaded definitions{why}",
        "Run it where the project's definitions are, or apply them: `featurestore apply`. If "
        "nobody changed them, somebody changed the registry: restore its table.",
    )
