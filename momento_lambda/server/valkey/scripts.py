"""What takes more than one command, carried out by the store in one piece.

Every key of a script is in one slot. A store that is full refuses the first write of a script, before anything has
changed, so each changes all or nothing.
"""

import hashlib
from collections.abc import Sequence
from typing import Final, final

from redis.exceptions import NoScriptError

from momento_lambda.server.valkey.link import Reply
from momento_lambda.server.valkey.router import Router


@final
class Script:
    """A script of the store.

    Args:
        body: Its text, in Lua.
        read: Whether it changes nothing.
    """

    def __init__(self, body: str, *, read: bool = False) -> None:
        self._body = body
        # How the store names what it has been given.
        self._name = hashlib.sha1(body.encode(), usedforsecurity=False).hexdigest()
        self._read = read

    async def run(self, router: Router, slot: int, keys: Sequence[bytes], *values: bytes | str | int) -> Reply:
        """Run it on keys of one slot, and hand it over where the node does not have it yet."""
        arguments = (len(keys), *keys, *values)
        try:
            return await router.ask(slot, ("EVALSHA", self._name, *arguments), read=self._read)
        except NoScriptError:
            return await router.ask(slot, ("EVAL", self._body, *arguments), read=self._read)


SET_MANY: Final = Script("""
for place, key in ipairs(KEYS) do
    redis.call('SET', key, ARGV[2 * place - 1], 'PX', ARGV[2 * place])
end
""")
"""Store items. For each key a value and a time to live."""

SET_IF: Final = Script("""
local value, ttl, compared, stored_when = unpack(ARGV)
local held = redis.call('GET', KEYS[1])
local state = (not held and 1) or (held == compared and 2) or 3
if string.sub(stored_when, state, state) ~= '1' then return 0 end
redis.call('SET', KEYS[1], value, 'PX', ttl)
return 1
""")
"""Store an item where its state allows. Three digits say whether it does: absent, equal, different."""

EXIST: Final = Script(
    """
local found = {}
for place, key in ipairs(KEYS) do found[place] = redis.call('EXISTS', key) end
return found
""",
    read=True,
)
"""Tell which keys have an item."""

# A number in Lua has 53 bits, so the sum is read as the text that it is kept as.
INCREMENT: Final = Script("""
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('GET', KEYS[1])
""")
"""Add an amount, and set a time to live."""

CHANGE_TTL: Final = Script("""
local left, ttl = redis.call('PTTL', KEYS[1]), tonumber(ARGV[1])
if left == -2 then return -1 end
if ARGV[2] == 'increase' and ttl <= left or ARGV[2] == 'decrease' and ttl >= left then return 0 end
return redis.call('PEXPIRE', KEYS[1], ttl)
""")
"""Set a time to live that is longer, or one that is shorter: 1 if it was set, 0 if not, -1 without an item."""

DELETE_CACHE: Final = Script("""
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], '', ARGV[2])
return 1
""")
"""Take a cache from the list, and give the list another version."""

FLUSH_CACHE: Final = Script("""
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2], '', ARGV[3])
return 1
""")
"""Give a cache another generation, and the list another version."""
