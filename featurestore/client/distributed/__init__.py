"""Retrieval by Spark: the calls with ``engine=``, and how they become Spark's tasks."""
