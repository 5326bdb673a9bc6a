"""The environment variables that a function's process sees: no other of the caller's than those named here."""

import datetime as dt
import os
import uuid
from collections.abc import Mapping

from momento_lambda.testing.sandbox import Sandbox

DEFAULT_REGION = "us-east-1"

# The caller's secrets stay with the caller. What passes is about this machine: where the libraries of its
# interpreter lie, and whom its TLS trusts.
_INHERITED = ("LD_LIBRARY_PATH", "SSL_CERT_DIR", "SSL_CERT_FILE")


def function_variables(
    sandbox: Sandbox,
    chosen: Mapping[str, str],
    caller: Mapping[str, str],
    *,
    handler: str,
    function_name: str,
    memory_size: int,
    api_address: str,
) -> dict[str, str]:
    """Put the whole environment of a function's process together.

    Args:
        sandbox: The folders of the process.
        chosen: The function's own variables. They may change the defaults, not what Lambda reserves.
        caller: The environment of the process that we run in.
        handler: ``module.function``.
        function_name: The name that the function goes by.
        memory_size: In MB.
        api_address: The Runtime API, as ``host:port``.

    Raises:
        ValueError: A chosen variable is a reserved one.
    """
    reserved = {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sandbox.python_version}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_size),
        "AWS_LAMBDA_FUNCTION_NAME": function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function_name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": _log_stream_name(),
        "AWS_LAMBDA_RUNTIME_API": api_address,
        "LAMBDA_RUNTIME_DIR": str(sandbox.runtime),
        "LAMBDA_TASK_ROOT": str(sandbox.task_root),
        "PYTHONPATH": os.pathsep.join(map(str, sandbox.python_path)),
        "_HANDLER": handler,
    }
    if refused := sorted(reserved.keys() & chosen.keys()):
        message = f"Lambda sets {', '.join(refused)} itself: leave it out of the function's environment"
        raise ValueError(message)
    return _defaults(sandbox, caller) | dict(chosen) | reserved


def _defaults(sandbox: Sandbox, caller: Mapping[str, str]) -> dict[str, str]:
    return {name: caller[name] for name in _INHERITED if name in caller} | {
        "AWS_DEFAULT_REGION": DEFAULT_REGION,
        "AWS_REGION": DEFAULT_REGION,
        # Without one, the password database would lead to the caller's: to ~/.aws, among others.
        "HOME": str(sandbox.tmp),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": str(sandbox.tmp),
        "TZ": ":UTC",
    }


def _log_stream_name() -> str:
    return f"{dt.datetime.now(tz=dt.UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
