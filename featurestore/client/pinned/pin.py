"""`ServicePin`: what features were when they were pinned, as plain data that a model keeps."""

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field
from typing import NamedTuple

from featurestore.errors import NotFoundError, RequestError
from featurestore.registry.registry import Registry, RegistryVersion

SCHEMA = "featurestore.service_pin/1"


class PinnedTable(NamedTuple):
    """A version of a view's table.

    Args:
        table_id: The build of the table.
        version: The Delta version.
    """

    table_id: str
    version: int


@dataclass(frozen=True)
class ServicePin:
    """What features were when they were pinned.

    Args:
        features: The selection: names of services, views and features.
        digest: The fingerprint of all definitions that were applied then.
        outputs: The names of the feature columns, in order.
        tables: The table version of each view, by the view's name. Empty if rows that are stored
            later count too.

    Example:
        >>> pin = ServicePin(("fraud_v1",), digest="ab12", outputs=("amount_sum_7d",))
        >>> ServicePin.from_json(pin.to_json()) == pin
        True
    """

    features: tuple[str, ...]
    _: KW_ONLY
    digest: str
    outputs: tuple[str, ...]
    tables: Mapping[str, PinnedTable] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the pin as a text."""
        tables = {name: list(each) for name, each in self.tables.items()}
        return json.dumps({"schema": SCHEMA} | asdict(self) | {"tables": tables}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "ServicePin":
        """Return the pin of a text.

        Args:
            text: What `to_json` returned.

        Raises:
            RequestError: It is another text.
        """
        try:
            noted = json.loads(text)
            if noted["schema"] != SCHEMA:
                raise ValueError(noted["schema"])
            return cls(
                tuple(map(str, noted["features"])),
                digest=str(noted["digest"]),
                outputs=tuple(map(str, noted["outputs"])),
                tables={
                    str(name): PinnedTable(str(table_id), int(version))
                    for name, (table_id, version) in noted["tables"].items()
                },
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RequestError(
                "read pinned features",
                f"the text is not as they were saved ({type(error).__name__}: {error})",
                "Load the pipeline from the folder to which it was saved, or pin anew.",
            ) from None


def pinned_version(registry: Registry, pin: ServicePin, call: str) -> RegistryVersion:
    """Return the version of the registry with the definitions of a pin.

    Another project may have these definitions too, such as the one of another environment, under
    another number.

    Args:
        registry: The project's registry.
        pin: The pin.
        call: The user's call, for the message.

    Raises:
        NotFoundError: No version has these definitions.
    """
    versions = registry.history()
    for version in reversed(versions):
        if version.digest == pin.digest:
            return version
    names = ", ".join(pin.features)
    raise NotFoundError(
        call,
        f"none of the {len(versions)} applied versions has the definitions that {names} was "
        "pinned to",
        "Use the project in which it was pinned, or apply its definitions here, or pin the "
        "features of this project and train the model again.",
    )
