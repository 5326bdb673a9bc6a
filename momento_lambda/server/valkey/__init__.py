"""The store on Valkey or Redis: one node, a primary with replicas, or a cluster.

| module       | what it knows                                          |
|--------------|--------------------------------------------------------|
| store        | the caches, and what a deployment must be like         |
| generations  | which items belong to a cache, as all gateways see it  |
| keyspace     | the items of one cache                                 |
| scripts      | what takes several commands, carried out in one piece  |
| connections  | how a connection is made: name, password, encryption   |
| router       | which node has a key now                               |
| topology     | where a deployment's primaries are                     |
| first_answer | asking several at once                                 |
| link         | the one connection to a node, which all calls share    |
| errors       | what nodes say, in this project's words                |

Each stands on those below it alone.
"""

from importlib.util import find_spec

if find_spec("redis") is None:
    raise ModuleNotFoundError(
        "a store on Valkey or Redis needs the package redis, which is not installed: "
        "pip install 'momento-lambda[valkey]'",
        name="redis",
    )
