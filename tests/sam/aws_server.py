"""moto's server on a port of its own, which it prints, with a note of what functions ask of it.

    python aws_server.py NOTES

It is a process of its own: moto warns of much and closes little, and every warning is an error where tests run. Each
line of the notes is a call's access key, its action as a policy names it, and the table or the secret it was about.
"""

import io
import json
import sys
from pathlib import Path
from typing import Any, Final, TypeAlias

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

Environ: TypeAlias = dict[str, Any]

_SERVICES: Final = {"DynamoDB_20120810": "dynamodb", "secretsmanager": "secretsmanager"}


class Noted:
    """An application that notes what it is asked before it answers.

    Args:
        application: What answers.
        notes: The file of the notes.
    """

    def __init__(self, application: Any, notes: Path) -> None:
        self._application = application
        self._notes = notes

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        """Note a request and have it answered."""
        service, _, action = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        if service in _SERVICES:
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = io.BytesIO(body)
            caller = environ["HTTP_AUTHORIZATION"].partition("Credential=")[2].partition("/")[0]
            with self._notes.open("a", encoding="utf-8") as notes:
                notes.write(f"{caller}\t{_SERVICES[service]}:{action}\t{_resource(json.loads(body))}\n")
        return self._application(environ, start_response)


def _resource(request: dict[str, Any]) -> str:
    tables = request.get("RequestItems", {})
    return str(request.get("TableName") or request.get("SecretId") or ",".join(tables))


class _Quiet(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  # what it overrides
        """Say nothing of each request."""


def main() -> None:
    """Serve until the process is ended."""
    application = Noted(DomainDispatcherApplication(create_backend_app), Path(sys.argv[1]))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    print(server.port, flush=True)  # noqa: T201  # what is waited for
    server.serve_forever()


if __name__ == "__main__":
    main()
