"""The rows of a few keys, read and transformed by Spark for previews."""
