"""Card fraud: a seeded simulator, since no real card data is free, and a model."""
