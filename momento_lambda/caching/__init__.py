"""Cache-aside for functions: what is stored under which key, for how long, and what happens when it cannot be."""
