"""An account of AWS on this machine, and what each function asked of it."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

import boto3  # type: ignore[import-untyped]  # it has no types

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

REGION: Final = "eu-west-1"

_SERVER: Final = Path(__file__).with_name("aws_server.py")


class Call(NamedTuple):
    """What somebody asked of DynamoDB or of Secrets Manager.

    Attributes:
        caller: Whose access key it carried.
        action: What was asked, as a policy names it.
        resource: The table or the secret that it was about.
    """

    caller: str
    action: str
    resource: str


@final
class Aws:
    """moto's server, from entering the context to leaving it.

    Args:
        notes: A file to keep what was asked in.
    """

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> "Self":
        self._notes.touch()
        self._process = subprocess.Popen(  # noqa: S603  # our own server
            [sys.executable, str(_SERVER), str(self._notes)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        for client in self._clients.values():
            client.close()
        self._process.kill()
        self._process.communicate()

    @property
    def calls(self) -> list[Call]:
        """What was asked so far, in order."""
        return [Call(*line.split("\t")) for line in self._notes.read_text(encoding="utf-8").splitlines()]

    def variables(self, caller: str) -> dict[str, str]:
        """Return the environment by which AWS is found, and a caller known again."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ACCESS_KEY_ID": caller,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        """Return a client of a service, with the rights of an administrator."""
        if service not in self._clients:
            variables = self.variables("administrator")
            self._clients[service] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=variables["AWS_ENDPOINT_URL"],
                aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            )
        return self._clients[service]
