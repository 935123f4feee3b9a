"""The kernel's loops in C, with NumPy in their place where no compiler was at hand."""
