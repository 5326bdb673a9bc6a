"""The command line: `momento-lambda ...`."""
