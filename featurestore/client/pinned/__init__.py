"""Features that stay what they were when a model learned from them, whatever is applied later."""
