"""Spark's errors as featurestore's own, including errors from other processes."""
