"""What users write: frozen dataclasses of entities, sources, views and services."""
