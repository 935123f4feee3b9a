"""The kernel's loops in C. Without a compiler, NumPy does their work."""
