"""Lineage: source, view, feature, service, as a graph and as drawings."""
