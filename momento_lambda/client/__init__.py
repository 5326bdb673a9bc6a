"""The clients: sync and async twins on hand-written channels.

On Lambda two of gRPC's variables get a value where the function's environment gives none; gRPC reads them when it is
imported, which is after this. Errors alone are logged, so that the farewell of a server to a frozen connection stays
out of the function's log. And forks are supported, without which the first call in a child process never ends.
"""

import os

from momento_lambda.configuration import on_lambda

if on_lambda():
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "1")
