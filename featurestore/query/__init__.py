"""What to compute: plain data, made from what is applied and what is asked."""
