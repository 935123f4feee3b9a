"""The example project: three domains, each with entities, sources, views and services."""
