"""The metadata of calls: who calls, and which cache."""

import sys
from typing import Final, TypeAlias, final

from momento_lambda.version import __version__
from momento_lambda.wire.arguments import cache_name

Metadata: TypeAlias = tuple[tuple[str, str], ...]

INTRODUCTION: Final[Metadata] = (
    ("agent", f"momento-lambda-python:cache:{__version__}"),
    ("runtime-version", "python {}.{}.{}".format(*sys.version_info)),
)
"""What the first call of each channel says of the client."""

_REMEMBERED_CACHES = 256


@final
class Headers:
    """The metadata that a token's calls carry, made once per cache."""

    __slots__ = ("_by_cache", "control")

    control: Metadata
    """The metadata of calls that name no cache, or name it in their message."""

    def __init__(self, auth_token: str) -> None:
        self.control = (("authorization", auth_token),)
        self._by_cache: dict[str, Metadata] = {}

    def for_cache(self, name: str) -> Metadata:
        """Return the metadata of a call to a cache.

        Raises:
            InvalidArgumentError: The name cannot be sent.
        """
        # Names that are no str are looked up by nobody: an unhashable one would raise the wrong error here.
        known = self._by_cache.get(name) if isinstance(name, str) else None
        return known or self._make(name)

    def _make(self, name: str) -> Metadata:
        metadata = (*self.control, ("cache", cache_name(name)))
        if len(self._by_cache) < _REMEMBERED_CACHES:
            self._by_cache[name] = metadata
        return metadata
