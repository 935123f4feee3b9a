"""Who computes: the kernel, the engine in process, and Spark."""
