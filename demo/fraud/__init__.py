"""Card fraud: a simulator of payments, because no real card data is free, and a model."""
