"""Rules of Kafka sources: the topic, the schema, and the settings of Kafka's client."""

import re
from collections.abc import Iterator

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import MESSAGE_FIELDS, KafkaSource
from featurestore.definitions.model.types import Date, String
from featurestore.definitions.rules.issue import Issue, label
from featurestore.environment import has_references, reference_problem

# Kafka's own rule for the names of topics.
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_SERVER = re.compile(r"[^\s,:/]+:\d+|\[[0-9a-fA-F:]+\]:\d+")
_SECRET = re.compile(r"password|jaas|secret|\bkey\b|\.key$|token")
# What the stream decides: another value would lose rows, or read them twice.
_OURS = ("auto.offset.reset", "enable.auto.commit", "group.id", "bootstrap.servers")


def topics_and_servers_are_named(manifest: Manifest) -> Iterator[Issue]:
    """Yield sources whose topic or brokers are none."""
    for source in _sources(manifest):
        if not has_references(source.topic) and not _TOPIC.fullmatch(source.topic):
            text = f"{label(source)}: topic {source.topic!r} is no name of a Kafka topic"
            yield Issue(source.origin, f"{text}. Use letters, digits, '.', '_' and '-'.")
        if has_references(source.servers):
            continue
        if not all(_SERVER.fullmatch(each) for each in source.servers.split(",")):
            text = f"{label(source)}: servers {source.servers!r} are no hosts with ports"
            yield Issue(source.origin, f'{text}. Write servers="host:9092,other:9092".')


def schemas_name_the_columns(manifest: Manifest) -> Iterator[Issue]:
    """Yield sources without a schema, or with a column that Kafka's own columns have."""
    own = {field.name for field in MESSAGE_FIELDS}
    for source in _sources(manifest):
        if not source.schema:
            text = f"{label(source)}: schema is empty"
            yield Issue(source.origin, f"{text}. List the columns to read of the JSON objects.")
        for field in source.schema:
            if field.name in own:
                text = f"{label(source)}: {field.name!r} is a column that each message has"
                yield Issue(field.origin, f"{text}. Remove it from schema=, or rename the key.")


def times_are_read_with_the_message(manifest: Manifest) -> Iterator[Issue]:
    """Yield time columns that are texts: a wrong one would stop the stream."""
    for source in _sources(manifest):
        texts = {field.name for field in source.schema if field.dtype in (String, Date)}
        for name in (source.timestamp_field, source.available_timestamp_field):
            if name in texts:
                text = f"{label(source)}: time column {name!r} is declared as a text or a date"
                yield Issue(source.origin, f"{text}. Declare it as Timestamp.")


def options_are_settings_without_secrets(manifest: Manifest) -> Iterator[Issue]:
    """Yield options that are no settings, that the stream decides, or that have a secret."""
    for source in _sources(manifest):
        for option in source.options:
            if problem := _option_problem(option):
                yield Issue(source.origin, f"{label(source)}: {problem}")


RULES = (
    topics_and_servers_are_named,
    schemas_name_the_columns,
    times_are_read_with_the_message,
    options_are_settings_without_secrets,
)


def _option_problem(option: str) -> str:
    name, is_setting, value = option.partition("=")
    if not is_setting or not name.strip():
        return f"an option without '=' begins with {option[:20]!r}. Write options=['name=value']."
    # Spark reads the names of its options in any case.
    if name.strip().lower() in _OURS:
        return f"option {name!r} has no effect: the stream decides it. Remove it."
    if problem := reference_problem(value):
        return f"option {name!r}: {problem}. Write ${{env:NAME}}."
    if _SECRET.search(name.lower()) and not has_references(value):
        return f"option {name!r} has a secret as text. Write '{name}=${{env:NAME}}'."
    return ""


def _sources(manifest: Manifest) -> list[KafkaSource]:
    return [source for source in manifest.sources if isinstance(source, KafkaSource)]
