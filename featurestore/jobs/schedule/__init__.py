"""Schedules: which views are due, and the runs of those that are."""
