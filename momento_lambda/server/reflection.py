"""What the server speaks, told to tools that ask for it, such as grpcurl.

The messages are described in a package of this project's own, and the services, which are only paths here, under the
names that they have on the wire. The two meet in a pool of descriptors that is apart from the process's own, where
the same names may stand for someone else's.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection import ReflectionServicer

from momento_lambda.server import health
from momento_lambda.wire.rpc import Rpc

SERVICE: Final[str] = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"].full_name


def reflection_service(rpcs: Iterable[Rpc[Any, Any]]) -> ReflectionServicer:
    """Return what answers questions about these procedures, about health, and about itself."""
    rpcs = list(rpcs)
    pool = DescriptorPool()
    for file in {rpc_file for rpc in rpcs for rpc_file in (rpc.request.DESCRIPTOR.file, rpc.reply.DESCRIPTOR.file)}:
        _add(pool, file)
    for described in _described(rpcs):
        pool.Add(described)
    _add(pool, health_pb2.DESCRIPTOR)
    _add(pool, reflection_pb2.DESCRIPTOR)
    return ReflectionServicer([*{rpc.service for rpc in rpcs}, health.SERVICE, SERVICE], pool)


def _described(rpcs: Iterable[Rpc[Any, Any]]) -> Iterable[FileDescriptorProto]:
    """Describe services, one file for each package."""
    packages: dict[str, dict[str, list[Rpc[Any, Any]]]] = defaultdict(lambda: defaultdict(list))
    for rpc in rpcs:
        package, _, service = rpc.service.rpartition(".")
        packages[package][service].append(rpc)
    for package, services in packages.items():
        file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
        imported: set[str] = set()
        for name, offered in services.items():
            described = file.service.add(name=name)
            for rpc in offered:
                request, reply = rpc.request.DESCRIPTOR, rpc.reply.DESCRIPTOR
                imported |= {request.file.name, reply.file.name}
                described.method.add(
                    name=rpc.name,
                    input_type=f".{request.full_name}",
                    output_type=f".{reply.full_name}",
                    server_streaming=rpc.streams,
                )
        file.dependency.extend(sorted(imported))
        yield file


def _add(pool: DescriptorPool, file: FileDescriptor) -> None:
    """Add a file and, before it, those it imports."""
    for imported in file.dependencies:
        _add(pool, imported)
    pool.AddSerializedFile(file.serialized_pb)
