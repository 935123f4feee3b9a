"""Queries: the features to compute, as plain data, compiled from requests and definitions."""
