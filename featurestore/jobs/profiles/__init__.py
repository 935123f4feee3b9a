"""Profiles of a view's table, recorded after a run."""
