"""Continuous materialization, as calls of a store."""
