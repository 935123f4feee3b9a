"""Writing of feature tables by Spark: checks, batches, streams and latest tables."""
