"""What one function, or one call, asks of its cache."""

from typing import final

from momento_lambda.caching.envelope import Packing
from momento_lambda.caching.lifetime import Lifetime
from momento_lambda.caching.record import Record


@final
class Policy(Record):
    """The options of one function or one call, resolved.

    Attributes:
        lifetime: How long values live.
        packing: How they become bytes.
        beta: How early a value is loaded anew before its time; None for never.
        early_inline: Whether that may happen in the caller's own time, where no handler would join it.
        lease_seconds: How long one process may load while others wait for it; None for no lease.
        local: Whether this process's own tier is asked.
        local_ttl_ms: The longest time that this process's own tier serves a value; None for the tier's own.
        raise_errors: Whether trouble with the cache is raised rather than answered by the loader.
        decode_loaded: Whether a loaded value is passed through its bytes, so that callers get on a miss what they
            would get on a hit.
    """

    lifetime: Lifetime
    packing: Packing
    beta: float | None = None
    early_inline: bool = False
    lease_seconds: float | None = None
    local: bool = False
    local_ttl_ms: int | None = None
    raise_errors: bool = False
    decode_loaded: bool = False
