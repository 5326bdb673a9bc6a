"""The store at a URL: in this process, or on other machines."""

from typing import Final

from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.store import Store
from momento_lambda.server.store_url import StoreUrl

MEMORY: Final = "memory://"


def open_store(url: str) -> Store:
    """Return the store at a URL, which is asked nothing before it is started.

    Raises:
        InvalidArgumentError: It is the URL of no store.
        ModuleNotFoundError: The store needs a package that is not installed.
    """
    if url == MEMORY:
        return MemoryStore()
    where = StoreUrl.parse(url)
    from momento_lambda.server.valkey.store import ValkeyStore  # noqa: PLC0415  # an optional extra

    return ValkeyStore(where)
