"""The two clients of the cache protocol, and the channels they speak through."""
