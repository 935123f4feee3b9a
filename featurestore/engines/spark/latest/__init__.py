"""The tasks of `latest` tables: ranges of keys, files to rewrite, and keys after a shuffle."""
