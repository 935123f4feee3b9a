"""Spark: what produces feature tables, and runs the kernel at scale."""
