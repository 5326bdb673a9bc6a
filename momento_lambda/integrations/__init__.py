"""What stands between this library and others that a function uses."""
