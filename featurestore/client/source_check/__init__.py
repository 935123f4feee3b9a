"""A look at the sources before a run, without Spark."""
