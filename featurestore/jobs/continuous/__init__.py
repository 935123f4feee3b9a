"""Continuous materialization: runs of views, again and again, as their sources get new rows."""
