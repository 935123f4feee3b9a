"""What people see while and after calls run: progress, and objects in a notebook."""
