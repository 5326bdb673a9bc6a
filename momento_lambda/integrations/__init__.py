"""What stands between this library and others that a function uses.

idempotency     Powertools' idempotency, its records in a cache
metrics         what a cache does, in Powertools' metrics
tracing         ... in its traces
log_keys        ... in its log lines
"""
