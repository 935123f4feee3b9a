"""Statistics of feature values: pure functions on Arrow tables, without Spark."""
