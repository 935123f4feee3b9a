"""Append-only records of builds, runs and source files."""
