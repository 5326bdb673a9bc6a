from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import momento_wire_types as official
import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from momento_lambda.wire import auth_pb2, auth_rpcs, cache_pb2, cache_rpcs, control_pb2, control_rpcs
from momento_lambda.wire.rpc import Rpc

# In every test's id, since what is proven is agreement with this version.
OFFICIAL = f"momento-wire-types {version('momento-wire-types')}"

# The data plane's conditions are in a package of their own, without an underscore before their names.
FILES = {
    cache_pb2.DESCRIPTOR: (official.cacheclient_pb2.DESCRIPTOR, official.common_pb2.DESCRIPTOR),
    control_pb2.DESCRIPTOR: (official.controlclient_pb2.DESCRIPTOR,),
    auth_pb2.DESCRIPTOR: (
        official.token_pb2.DESCRIPTOR,
        official.permissionmessages_pb2.DESCRIPTOR,
        official.controlclient_pb2.DESCRIPTOR,
    ),
}
# The Python wire types lack this service, which takes and gives empty messages.
WITHOUT_COUNTERPART = {"cache_client.Ping": {"PingRequest", "PingResponse"}}

RPCS: list[Rpc[Any, Any]] = [
    rpc for module in (auth_rpcs, cache_rpcs, control_rpcs) for rpc in vars(module).values() if isinstance(rpc, Rpc)
]
OFFICIAL_SERVICES = {
    service.full_name: service
    for file in (
        official.cacheclient_pb2.DESCRIPTOR,
        official.controlclient_pb2.DESCRIPTOR,
        official.token_pb2.DESCRIPTOR,
    )
    for service in file.services_by_name.values()
}
OFFICIAL_MESSAGES = {
    (ours.name, message.name.removeprefix("_")): message
    for ours, theirs in FILES.items()
    for file in theirs
    for message in file.message_types_by_name.values()
}
OUR_MESSAGES = {(file.name, message.name): message for file in FILES for message in file.message_types_by_name.values()}
COMPARABLE = {
    key: message
    for key, message in OUR_MESSAGES.items()
    if not any(message.name in names for names in WITHOUT_COUNTERPART.values())
}

# What our server may stream to our clients several to a message.
PACKED_MESSAGES = {"GetResponse", "SetResponse"}


def plain(name: str) -> str:
    """Return a type's name as both sides write it: theirs begin with an underscore, and one with E for enum."""
    return name.removeprefix("_").replace("ECacheResult", "CacheResult")


def field_facts(field: FieldDescriptor) -> dict[str, object]:
    """Return what the wire, and the code that speaks it, can tell of a field."""
    return {
        "name": field.name,
        "type": field.type,
        "repeated": field.is_repeated,
        "packed": field.is_packed,
        "presence": field.has_presence,
        "oneof": field.containing_oneof.name if field.containing_oneof else None,
        "message": plain(field.message_type.name) if field.message_type else None,
        "enum": enum_facts(field.enum_type) if field.enum_type else None,
    }


def enum_facts(enum: EnumDescriptor) -> tuple[str, dict[int, str]]:
    """Return an enum's name and its values; theirs are written in several cases."""
    return plain(enum.name), {value.number: value.name.upper() for value in enum.values}


def message_facts(message: Descriptor) -> dict[str, Any]:
    """Return a message field by field, with the messages and enums inside it."""
    return {
        "fields": {field.number: field_facts(field) for field in message.fields},
        "oneofs": {oneof.name: {field.name for field in oneof.fields} for oneof in message.oneofs},
        "messages": {plain(nested.name): message_facts(nested) for nested in message.nested_types},
        "enums": dict(enum_facts(nested) for nested in message.enum_types),
    }


def with_parts(message: Descriptor) -> Iterator[Descriptor]:
    """Yield a message and every message inside it."""
    yield message
    for nested in message.nested_types:
        yield from with_parts(nested)


@pytest.mark.parametrize("key", COMPARABLE, ids=lambda key: f"{OFFICIAL}: {key[1]}")
def test_messages_are_the_official_ones(key: tuple[str, str]) -> None:
    """Every message of ours has an official counterpart, alike in every field, oneof, nested message and enum.

    The one field of our own has a number that no official message uses.
    """
    ours, theirs = message_facts(COMPARABLE[key]), message_facts(OFFICIAL_MESSAGES[key])
    if key[1] in PACKED_MESSAGES:
        assert "packed" == ours["fields"].pop(2000)["name"]
    assert theirs == ours


@pytest.mark.parametrize(
    ("file", "name"),
    [(file, enum) for file in FILES for enum in file.enum_types_by_name],
    ids=lambda value: f"{OFFICIAL}: {value}" if isinstance(value, str) else "enum",
)
def test_enums_are_the_official_ones(file: Any, name: str) -> None:
    """Every enum of ours has an official counterpart with the same numbers and names."""
    counterparts = {plain(enum.name): enum for theirs in FILES[file] for enum in theirs.enum_types_by_name.values()}
    assert enum_facts(counterparts[name]) == enum_facts(file.enum_types_by_name[name])


def test_both_live_in_one_process() -> None:
    """None of our messages bears the full name of an official one, so both load side by side."""
    ours = {part.full_name for message in OUR_MESSAGES.values() for part in with_parts(message)}
    theirs = {part.full_name for message in OFFICIAL_MESSAGES.values() for part in with_parts(message)}
    assert set() == ours & theirs
    assert {"momento_lambda.wire"} == {file.package for file in FILES}


def test_bytes_are_understood_by_the_other() -> None:
    """What we write, the official messages read, conditions included."""
    request = cache_rpcs.set_if_absent_or_equal_request(b"key", b"value", b"other", 60_000)
    read = official.cacheclient_pb2._SetIfRequest.FromString(request.SerializeToString())  # noqa: SLF001  # its name
    assert (request.cache_key, request.cache_body) == (read.cache_key, read.cache_body)
    assert request.ttl_milliseconds == read.ttl_milliseconds
    assert request.WhichOneof("condition") == read.WhichOneof("condition")
    assert request.absent_or_equal.value_to_check == read.absent_or_equal.value_to_check
    assert request.SerializeToString() == read.SerializeToString()


def test_what_has_no_counterpart_is_known() -> None:
    """The services that the official package lacks are those named here, and their messages are empty."""
    assert set(WITHOUT_COUNTERPART) == {rpc.service for rpc in RPCS} - OFFICIAL_SERVICES.keys()
    empty = {message.name for (_, name), message in OUR_MESSAGES.items() if (_, name) not in COMPARABLE}
    assert set().union(*WITHOUT_COUNTERPART.values()) == empty
    assert not any(OUR_MESSAGES[cache_pb2.DESCRIPTOR.name, name].fields for name in empty)


@pytest.mark.parametrize(
    "rpc",
    [rpc for rpc in RPCS if rpc.service not in WITHOUT_COUNTERPART],
    ids=lambda rpc: f"{OFFICIAL}: {rpc.path}",
)
def test_procedures_are_the_official_ones(rpc: Rpc[Any, Any]) -> None:
    """Every path names an official procedure that takes and gives the messages we send and read, streamed alike."""
    method = OFFICIAL_SERVICES[rpc.service].methods_by_name[rpc.name]
    assert f"/{method.containing_service.full_name}/{method.name}" == rpc.path
    assert (plain(method.input_type.name), plain(method.output_type.name)) == (
        rpc.request.DESCRIPTOR.name,
        rpc.reply.DESCRIPTOR.name,
    )
    assert (False, rpc.streams) == (method.client_streaming, method.server_streaming)


def test_no_procedure_is_written_twice() -> None:
    """Each path has one constant."""
    paths = [rpc.path for rpc in RPCS]
    assert sorted(set(paths)) == sorted(paths)
    assert len(paths) > 10
