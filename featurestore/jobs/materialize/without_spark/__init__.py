"""Decisions without Spark: which views have nothing new."""
