"""The engine in process: a bound spine is answered from pinned tables, chunk by chunk."""
