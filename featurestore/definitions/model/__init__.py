"""The classes that users write: entities, sources, views and services, as frozen dataclasses."""
