"""A project whose root is in an object store: a real S3 server on this machine."""
