"""What is made from what, beyond features: the reach of source columns, training sets, models."""
