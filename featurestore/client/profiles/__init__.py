"""Profiles: statistics of feature values, stored by runs or of a frame."""
