"""Which keys are due when, found without looking at any that are not."""

from typing import Final, TypeAlias, final

from momento_lambda.server.clock import NANOSECONDS_PER_SECOND

_Slot: TypeAlias = dict[bytes, bytes]
"""Keys, each under itself. A dict of nothing but bytes takes less than a set, and the garbage collector, which would
walk through a million keys of a set again and again, does not look at it."""

# In seconds. A day, the longest time to live, is 21 of the widest.
_WIDTHS: Final = (4096, 64, 1)


@final
class Deadlines:
    """Keys filed under when their deadline is, the later the more coarsely.

    A key is in exactly one slot, the widest that begins after the moment at which it was filed. When its slot begins
    it is taken out, and filed anew in a narrower one unless it is due: so each is looked at three times at most, and
    however long times to live are there are few slots. A slot without keys is not kept, so that overwriting an item
    for ever leaves nothing behind.
    """

    __slots__ = ("_wheels",)

    def __init__(self) -> None:
        self._wheels: tuple[dict[int, _Slot], ...] = tuple({} for _ in _WIDTHS)

    def add(self, key: bytes, deadline: int, now: int) -> None:
        """File a key. Both times are in nanoseconds."""
        second, current = deadline // NANOSECONDS_PER_SECOND, now // NANOSECONDS_PER_SECOND
        for width, wheel in zip(_WIDTHS, self._wheels, strict=True):
            number = second // width
            if number * width > current or width == 1:
                slot = wheel.get(number)
                if slot is None:
                    wheel[number] = {key: key}
                else:
                    slot[key] = key
                return

    def discard(self, key: bytes, deadline: int) -> bytes:
        """Forget a key that was filed under this deadline, and return the very object that was filed."""
        second = deadline // NANOSECONDS_PER_SECOND
        for width, wheel in zip(_WIDTHS, self._wheels, strict=True):
            number = second // width
            slot = wheel.get(number)
            filed = slot.pop(key, None) if slot else None
            if filed is not None:
                if not slot:
                    del wheel[number]
                return filed
        raise KeyError(key)

    def move(self, key: bytes, old: int, new: int, now: int) -> None:
        """File a key under another deadline."""
        if old // NANOSECONDS_PER_SECOND != new // NANOSECONDS_PER_SECOND:
            # The object that was filed is the one that the item is kept under: another would take its memory twice.
            self.add(self.discard(key, old), new, now)

    def any_due(self, now: int) -> bool:
        """Whether `take_due` would return a key."""
        return any(number <= last for wheel, last in self._last_due(now) for number in wheel)

    def take_due(self, now: int, limit: int) -> list[bytes]:
        """Return keys that are due or must be filed anew, and forget them.

        Args:
            now: The time, in nanoseconds.
            limit: The most keys to return, which bounds the pause.
        """
        taken: list[bytes] = []
        for wheel, last in self._last_due(now):
            for number in [number for number in wheel if number <= last]:
                slot = wheel[number]
                while slot and len(taken) < limit:
                    taken.append(slot.popitem()[0])
                if slot:
                    return taken
                del wheel[number]
        return taken

    def _last_due(self, now: int) -> list[tuple[dict[int, _Slot], int]]:
        """Return with each wheel its last slot to be taken: of wide ones it has begun, and of seconds it is over."""
        second = now // NANOSECONDS_PER_SECOND
        return [
            (wheel, second // width if width > 1 else second - 1)
            for width, wheel in zip(_WIDTHS, self._wheels, strict=True)
        ]
