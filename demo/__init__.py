"""The demonstration: three example domains, each from its sources to a trained model."""
