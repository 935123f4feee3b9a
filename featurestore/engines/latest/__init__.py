"""The rows of `latest` tables, computed range by range from a pinned feature table."""
