"""Materialization: which views run in which order, what each has to do, and what became of it."""
