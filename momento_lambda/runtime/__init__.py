"""The execution environment: what outlives an invocation, and what must not."""
