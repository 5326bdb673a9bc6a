"""The protocol: messages, and what each call means. Nothing here opens a socket or waits."""
