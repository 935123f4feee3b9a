"""Spark's errors as the project's own, also those of other processes."""
