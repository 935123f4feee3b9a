"""Reading of data files by Arrow: CSV, JSON lines and Parquet; each value exact, or refused."""
