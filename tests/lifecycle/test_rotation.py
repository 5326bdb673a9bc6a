"""A token that Secrets Manager keeps, rotated while functions that have the old one are warm."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, final

import boto3  # type: ignore[import-untyped]  # it has no types
import pytest
from moto.server import ThreadedMotoServer

from momento_lambda.server import LocalServer
from momento_lambda.testing import FaultProxy

if TYPE_CHECKING:
    from tests.lifecycle.conftest import Deploy

PLAIN = """
from momento_lambda import Cache

cache = Cache(timeout=20, connect_timeout=20, early_refresh=None)

@cache.handler
def handler(event, context):
    return [cache.get_or_load(event, lambda: "loaded"), dict(cache.stats.counts)]
"""

COROUTINE = """
from momento_lambda import Cache

cache = Cache(timeout=20, connect_timeout=20, early_refresh=None)

async def load():
    return "loaded"

@cache.handler
async def handler(event, context):
    return [await cache.aio.get_or_load(event, load), dict(cache.stats.counts)]
"""


@final
class Secret:
    """What Secrets Manager keeps of a token."""

    def __init__(self, client: Any, address: str) -> None:
        self._client = client
        self._arn = client.create_secret(Name="api-key", SecretString="none yet")["ARN"]
        self.variables = {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_ENDPOINT_URL": address,
            "MOMENTO_API_KEY": "",
            "MOMENTO_API_KEY_SECRET": self._arn,
        }

    def keep(self, token: str, endpoint: str) -> None:
        """Keep a token, and where it is for, in place of what was kept."""
        text = json.dumps({"api_key": token, "endpoint": endpoint})
        self._client.put_secret_value(SecretId=self._arn, SecretString=text)

    def delete(self) -> None:
        """Have it forgotten at once."""
        self._client.delete_secret(SecretId=self._arn, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def secret() -> Iterator[Secret]:
    """A secret, in what stands for AWS on this machine."""
    aws = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    aws.start()
    address = "http://{}:{}".format(*aws.get_host_and_port())
    client = boto3.client(
        "secretsmanager",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    kept = Secret(client, address)
    yield kept
    kept.delete()
    client.close()
    aws.stop()


@pytest.mark.parametrize("source", [PLAIN, COROUTINE], ids=["function", "coroutine"])
def test_a_rotated_token(
    source: str, deploy: "Deploy", server: LocalServer, network: FaultProxy, secret: Secret
) -> None:
    """The invocation that meets with the refusal asks again with the new token, and the cache goes on as ever.

    The old one is revoked as it is on a server of one's own: its signing key is replaced.
    """
    secret.keep(server.create_token(format="v2"), network.address)
    function = deploy(source, variables=secret.variables, movable_clock=True)
    assert [["loaded", {"miss": 1, "load": 1, "store": 1}], ["loaded", {"hit": 1}]] == [
        function.invoke("before").payload for _ in range(2)
    ]
    with LocalServer(caches=["users"], grace=0) as replaced:
        with function.frozen("1m"):
            secret.keep(replaced.create_token(format="v2"), network.address)
            network.point_to(replaced.host, replaced.port)
            network.reset()
        assert [["loaded", {"miss": 1, "load": 1, "store": 1}], ["loaded", {"hit": 1}]] == [
            function.invoke("after").payload for _ in range(2)
        ]
