"""The registry for assistants: a server of the Model Context Protocol that only reads."""
