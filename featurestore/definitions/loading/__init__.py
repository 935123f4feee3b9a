"""Load files of definitions to a manifest, and import the functions of applied definitions."""
