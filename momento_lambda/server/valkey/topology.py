"""Where the primaries of a deployment are, which take every read and every write."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol, TypeAlias, final

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import ResponseError

from momento_lambda.errors import InvalidArgumentError, UnavailableError
from momento_lambda.server.store_url import Address
from momento_lambda.server.valkey.first_answer import first_answer
from momento_lambda.server.valkey.link import Command, Reply

Ask: TypeAlias = Callable[[Address, Command], Awaitable[Reply]]
"""Ask a node, outside of what the topology says."""


class Topology(Protocol):
    """A kind of deployment."""

    def slot(self, key: bytes) -> int:
        """Return the number of the part that a key belongs to. Keys of one part are always together on one node."""
        ...

    async def primaries(self, ask: Ask, known: Iterable[Address]) -> Sequence[Address]:
        """Find out where the primary of each part is now.

        Args:
            ask: Asks a node.
            known: Nodes that were primaries before.

        Raises:
            UnavailableError: No node could say.
            InvalidArgumentError: It is another kind of deployment.
        """
        ...


@final
class OnePrimary:
    """One node, or a primary whose replicas are known too, one of which takes its place when it is gone.

    Args:
        addresses: All of them. One alone is taken for the primary: its name is asked for anew with each connection.
    """

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = addresses

    def slot(self, key: bytes) -> int:  # noqa: ARG002  # all keys are together
        """Return 0."""
        return 0

    async def primaries(self, ask: Ask, known: Iterable[Address]) -> Sequence[Address]:
        """Return the one that says it is the primary.

        Raises:
            InvalidArgumentError: At the start several say so.
        """
        if len(self._addresses) == 1:
            return self._addresses
        asked = [asyncio.ensure_future(self._primary(ask, address)) for address in self._addresses]
        if not any(known):
            # Later, calls wait for the successor of a primary, and not for nodes that are gone.
            await self._check_one(asked)
        return await first_answer(asked)

    async def _check_one(self, asked: Iterable["asyncio.Future[Sequence[Address]]"]) -> None:
        answers = await asyncio.gather(*asked, return_exceptions=True)
        primaries = [str(address) for answer in answers if not isinstance(answer, BaseException) for address in answer]
        if len(primaries) > 1:
            raise InvalidArgumentError(
                f"the store has {len(primaries)} primaries, {' and '.join(primaries)}, and what is written to one is "
                "not on the other: name one and its replicas, or a cluster's nodes with valkey-cluster://"
            )

    async def _primary(self, ask: Ask, address: Address) -> Sequence[Address]:
        try:
            role, *_ = await ask(address, ("ROLE",))
        except ResponseError as error:
            raise UnavailableError(f"the store at {address} does not say whether it is the primary: {error}") from error
        if role != b"master":
            raise UnavailableError(f"the store has no primary: {address} is a replica; try again")
        return (address,)


@final
class Cluster:
    """Several primaries, each with a share of the slots.

    Args:
        addresses: Any of the nodes, which name the others.
    """

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = addresses
        self._replicas: set[Address] = set()

    def slot(self, key: bytes) -> int:
        """Return the slot that the cluster gives a key."""
        slot: int = key_slot(key)
        return slot

    async def primaries(self, ask: Ask, known: Iterable[Address]) -> Sequence[Address]:
        """Return what the first node to answer says."""
        nodes = {*known, *self._replicas, *self._addresses}
        return await first_answer(self._slots(ask, address) for address in nodes)

    async def _slots(self, ask: Ask, address: Address) -> Sequence[Address]:
        try:
            ranges = await ask(address, ("CLUSTER", "SLOTS"))
        except ResponseError as error:
            if "cluster support disabled" in str(error):
                raise InvalidArgumentError(
                    f"the store at {address} is not part of a cluster: begin its URL with valkey:// instead"
                ) from None
            raise UnavailableError(f"the store at {address} does not say who is in its cluster: {error}") from error
        table = [UNASSIGNED] * REDIS_CLUSTER_HASH_SLOTS
        replicas: set[Address] = set()
        for first, last, primary, *others in ranges:
            table[first : last + 1] = [_node(primary, address)] * (last + 1 - first)
            replicas.update(_node(other, address) for other in others)
        if all(node is UNASSIGNED for node in table):
            raise UnavailableError(f"the cluster at {address} has no slots yet: try again")
        self._replicas = replicas
        return table


UNASSIGNED: Final = Address("", 0)
"""The node of a slot that has none."""


def _node(described: Sequence[bytes | int | None], asked: Address) -> Address:
    host, port, *_ = described
    # A node that does not know its own name leaves it out: it is the one that was asked.
    return Address(host.decode() if isinstance(host, bytes) and host not in {b"", b"?"} else asked.host, int(port or 0))
