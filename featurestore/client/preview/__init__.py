"""Previews: features of a definition that is not applied yet."""
