"""On-demand features: SQL and Python functions over stored features and request values."""
