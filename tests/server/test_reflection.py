"""What the server tells tools of what it speaks, as those tools ask for it."""

from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from momento_lambda.server import LocalServer
from momento_lambda.server.handlers import PROCEDURES
from momento_lambda.wire.rpc import Rpc

PUBLIC = {"cache_client.Ping", "cache_client.Scs", "control_client.ScsControl", "token.Token"}


@pytest.fixture
def database(channel: grpc.Channel) -> Any:
    """What a tool knows of the server, which is what the server says."""
    return ProtoReflectionDescriptorDatabase(channel)


def test_services_have_their_public_names(database: Any) -> None:
    """Whoever asks what is served, without a token, hears the names that are on the wire."""
    assert {*PUBLIC, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"} <= set(
        database.get_services()
    )


@pytest.mark.parametrize("rpc", [procedure.rpc for procedure in PROCEDURES], ids=lambda rpc: rpc.path)
def test_each_procedure_is_described(database: Any, rpc: Rpc[Any, Any]) -> None:
    """Each has its own name, its messages with all their fields, and whether its replies stream."""
    service = DescriptorPool(database).FindServiceByName(rpc.service)
    method = service.methods_by_name[rpc.name]
    assert rpc.path == f"/{service.full_name}/{method.name}"
    assert (rpc.request.DESCRIPTOR.full_name, rpc.reply.DESCRIPTOR.full_name) == (
        method.input_type.full_name,
        method.output_type.full_name,
    )
    assert rpc.request.DESCRIPTOR.fields_by_name.keys() == method.input_type.fields_by_name.keys()
    assert (False, rpc.streams) == (method.client_streaming, method.server_streaming)


def test_a_tool_can_call_what_it_heard_of(database: Any, channel: grpc.Channel, server: LocalServer) -> None:
    """With nothing but what reflection says, a tool sets an item and gets it."""
    service = DescriptorPool(database).FindServiceByName("cache_client.Scs")
    metadata = (("authorization", server.create_token()), ("cache", "cache"))

    def call(name: str, **fields: Any) -> Any:
        method = service.methods_by_name[name]
        request, reply = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        ask: Any = channel.unary_unary(f"/cache_client.Scs/{name}", request.SerializeToString, reply.FromString)
        return ask(request(**fields), metadata=metadata, timeout=20)

    call("Set", cache_key=b"key", cache_body=b"value", ttl_milliseconds=60_000)
    assert b"value" == call("Get", cache_key=b"key").cache_body
