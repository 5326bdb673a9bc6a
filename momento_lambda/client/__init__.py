"""The clients: sync and async twins on hand-written channels.

Whichever is imported first prepares the environment of gRPC, which comes after this.
"""

from momento_lambda.client import environment

environment.prepare()
