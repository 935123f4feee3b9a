"""Lineage of columns: from the columns of sources to features, and on to services and models."""
