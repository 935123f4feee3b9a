"""Reading of sources by Spark: files and Delta tables, their timestamps and offsets."""
