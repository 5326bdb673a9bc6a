"""Sends each command to the node that has its key now, and finds that node again after a failover.

What was certainly not done is asked again, within bounds. What may have been done is asked again only where that
changes nothing, that is for reads: a write sent twice could undo what came between.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final, final

from redis.exceptions import AskError, MovedError, NoScriptError, ReadOnlyError, ResponseError, TryAgainError

from momento_lambda.errors import MomentoError, UnavailableError
from momento_lambda.server.store_url import Address
from momento_lambda.server.valkey.errors import (
    ELSEWHERE_OR_LATER,
    OutcomeUnknownError,
    UnreachableError,
    in_our_words,
)
from momento_lambda.server.valkey.first_answer import first_answer
from momento_lambda.server.valkey.link import Command, Connect, Link, Reply
from momento_lambda.server.valkey.topology import UNASSIGNED, Topology

_log: Final = logging.getLogger("momento_lambda.server")

# Before each further attempt. Together they outlast the moving of a slot and not a failover, which takes seconds:
# callers have deadlines, and retry by themselves.
_PAUSES_SECONDS: Final = (0.0, 0.01, 0.05, 0.1)
_REFRESH_PAUSE_SECONDS: Final = 0.1


@final
class Router:
    """The nodes of a store.

    Args:
        topology: What kind of deployment it is.
        connect: Makes a connection to a node.
    """

    def __init__(self, topology: Topology, connect: Connect) -> None:
        self.slot = topology.slot
        self._topology = topology
        self._connect = connect
        self._links: dict[Address, Link] = {}
        self._primaries: list[Address] = []
        self._refreshing: asyncio.Task[None] | None = None
        self._next_refresh = 0.0
        self._lost = False

    async def start(self) -> None:
        """Find the primaries.

        Raises:
            UnavailableError: None can be reached.
            InvalidArgumentError: It is another kind of deployment.
        """
        await self._find()

    async def close(self) -> None:
        """Let go of all connections."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
        links, self._links = self._links, {}
        await asyncio.gather(*(link.close() for link in links.values()))

    async def ask(self, slot: int, command: Command, *, read: bool = False) -> Reply:
        """Ask the node of a slot.

        Args:
            slot: Where the command's keys are.
            command: What to ask.
            read: Whether the command changes nothing.

        Raises:
            NoScriptError: The node does not have the script that the command names.
            MomentoError: What went wrong: UnavailableError where it may go well soon.
        """
        try:
            return await self._link(self._primaries[slot]).ask(command)
        except NoScriptError:
            raise
        except (*ELSEWHERE_OR_LATER, UnavailableError) as error:
            return await self._ask_again(slot, command, error, read=read)
        except ResponseError as error:
            raise in_our_words(error) from error

    async def ask_any(self, command: Command) -> Reply:
        """Ask every primary, and return the first reply.

        Raises:
            MomentoError: None answers.
        """
        return await first_answer(self._ask_node(node, command) for node in self._nodes())

    async def ask_each(self, command: Command) -> list[Reply]:
        """Ask every primary, and return the replies of those that answer.

        Raises:
            MomentoError: None answers.
        """
        asked = (self._ask_node(node, command) for node in self._nodes())
        replies = await asyncio.gather(*asked, return_exceptions=True)
        failures = [reply for reply in replies if isinstance(reply, BaseException)]
        if len(failures) == len(replies) or not all(isinstance(failure, MomentoError) for failure in failures):
            raise failures[0]
        return [reply for reply in replies if not isinstance(reply, BaseException)]

    async def _ask_again(self, slot: int, command: Command, failure: Exception, *, read: bool) -> Reply:
        for pause in _PAUSES_SECONDS:
            before = self._primaries[slot]
            sent_to = await self._recover(slot, failure, read=read)
            if isinstance(failure, UnreachableError) and self._primaries[slot] == before:
                raise failure
            await asyncio.sleep(pause)
            link = self._link(sent_to or self._primaries[slot])
            try:
                return await (link.ask_as_told(command) if sent_to else link.ask(command))
            except NoScriptError:
                raise
            except (*ELSEWHERE_OR_LATER, UnavailableError) as error:
                failure = error
            except ResponseError as error:
                raise in_our_words(error) from error
        raise failure if isinstance(failure, MomentoError) else in_our_words(failure) from failure

    async def _recover(self, slot: int, failure: Exception, *, read: bool) -> Address | None:
        """Do what a failure asks for before another attempt; return the node to ask this once, if it names one."""
        match failure:
            case OutcomeUnknownError() if not read:
                self._refresh_soon()
                raise failure
            case MovedError():
                self._primaries[slot] = self._named_by(slot, failure)
                self._refresh_soon()
            case AskError():
                return self._named_by(slot, failure)
            case TryAgainError():
                pass
            case ReadOnlyError():
                # A primary no more. A name that leads to the new one is looked up with a new connection.
                await self._link(self._primaries[slot]).close("it is no primary any more")
                await self._refresh()
            case _:
                await self._refresh()
        return None

    def _named_by(self, slot: int, redirection: AskError) -> Address:
        return Address(redirection.host or self._primaries[slot].host, redirection.port)

    async def _refresh(self) -> None:
        """Find the primaries again, together with others who want that. What fails shows in the next attempt."""
        self._refresh_soon()
        if self._refreshing is not None:
            await asyncio.wait({self._refreshing})

    def _refresh_soon(self) -> None:
        loop = asyncio.get_running_loop()
        if self._refreshing is None and loop.time() >= self._next_refresh:
            self._refreshing = asyncio.create_task(self._try_to_find())

    async def _try_to_find(self) -> None:
        try:
            await self._find()
        except MomentoError as error:
            # Said once: it is tried again and again until they are found.
            if not self._lost:
                _log.warning("the primaries of the store cannot be found: %s", error)
            self._lost = True
        else:
            self._lost = False
        finally:
            self._refreshing = None
            self._next_refresh = asyncio.get_running_loop().time() + _REFRESH_PAUSE_SECONDS

    async def _find(self) -> None:
        before = set(self._nodes())
        self._primaries = list(await self._topology.primaries(self._ask_raw, before))
        if before and before != set(self._nodes()):
            _log.warning("the primaries of the store are now at %s", ", ".join(map(str, self._nodes())))
        unused = [address for address, link in self._links.items() if address not in self._nodes() and link.idle]
        for address in unused:
            await self._links.pop(address).close()

    def _nodes(self) -> Iterable[Address]:
        return dict.fromkeys(node for node in self._primaries if node is not UNASSIGNED)

    async def _ask_node(self, node: Address, command: Command) -> Reply:
        try:
            return await self._link(node).ask(command)
        except ResponseError as error:
            raise in_our_words(error) from error

    async def _ask_raw(self, address: Address, command: Command) -> Reply:
        return await self._link(address).ask(command)

    def _link(self, address: Address) -> Link:
        if address is UNASSIGNED:
            raise UnavailableError("no node of the store's cluster has the slot of this key: try again")
        link = self._links.get(address)
        if link is None:
            link = self._links[address] = Link(address, self._connect)
        return link
