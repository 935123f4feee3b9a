"""The Spark session: Java, Delta's jars, settings."""
