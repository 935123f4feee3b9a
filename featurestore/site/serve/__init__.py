"""The website on this machine: served on loopback, and built again when something has changed."""
