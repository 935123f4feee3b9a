"""The aggregate functions: each gives one value a moment, out of slices of sorted rows."""
