"""Cached functions that are methods: what one is bound to comes before the arguments of each call."""

from typing import Any


class Bound:
    """What can be bound to an object, as functions are."""

    _bound: tuple[Any, ...] = ()

    def _bind(self, instance: object) -> Any:
        """Return this for the method of one object; for the class itself, this as it is."""
        if instance is None:
            return self
        # Every call of a method comes here, so this costs as little as it can.
        method = object.__new__(type(self))
        method.__dict__.update(self.__dict__, _bound=(instance,))
        return method
