"""The rule that no text of a definition has a credential: plans and registries show the texts."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from itertools import chain
from types import FunctionType

from featurestore.credentials import WITHOUT_CREDENTIALS, assigns_credentials, has_credentials
from featurestore.definitions.code.syntax import source_text
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import DefinitionError


def texts_have_no_credentials(manifest: Manifest) -> Iterator[Issue]:
    """Yield definitions with a URL or a connection string that has a credential in it."""
    for definition in manifest.definitions:
        for field in fields(definition):
            value = getattr(definition, field.name)
            texts = [*_texts(value)]
            is_code = field.name == "transform"
            # A pattern in SQL, such as '%?token=x%', is no address.
            addresses = chain.from_iterable(map(_addresses, texts)) if is_code else texts
            is_function = isinstance(value, FunctionType)
            if any(map(has_credentials, addresses)) or (
                is_function and any(map(assigns_credentials, texts))
            ):
                text = f"{label(definition)}: {field.name} contains a credential"
                why = "Plans, the registry and messages show it"
                yield Issue(definition.origin, f"{text}. {why}. {WITHOUT_CREDENTIALS}")


_SEPARATORS = re.compile(r"[\s'\"`]+")
_URL = re.compile(
    r"://|^jdbc:|accountkey=|secret_access_key=|sharedaccess(?:key|signature)=", re.IGNORECASE
)
_CONNECTION = re.compile(r"\b(?:host|server|dbname|data source)\s*=[^\n]{1,300}", re.IGNORECASE)

RULES = (texts_have_no_credentials,)


def _addresses(code: str) -> Iterator[str]:
    """Yield the URLs and connection strings in SQL or in the text of a function."""
    yield from (word for word in _SEPARATORS.split(code) if _URL.search(word))
    yield from _CONNECTION.findall(code)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, FunctionType):
        # Another rule reports a function whose text cannot be read.
        with suppress(DefinitionError):
            yield source_text(value)
    elif isinstance(value, Mapping):
        yield from (each for each in value.values() if isinstance(each, str))
    elif isinstance(value, tuple):
        for each in value:
            # Tags are texts; fields have descriptions.
            yield from _texts(each if isinstance(each, str) else getattr(each, "description", ""))
