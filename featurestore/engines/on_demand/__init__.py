"""On-demand features: SQL and Python over the answers of stored ones, row by row."""
