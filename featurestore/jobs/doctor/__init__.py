"""The checks of a store: what is damaged, and its repair. No check starts Spark."""
