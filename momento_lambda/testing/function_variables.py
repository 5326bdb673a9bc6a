"""The environment variables that a function's process sees: no other of the caller's than those named here."""

import datetime as dt
import os
import uuid
from collections.abc import Mapping

from momento_lambda.testing.function_configuration import DEFAULT_REGION, FunctionConfiguration
from momento_lambda.testing.sandbox import Sandbox

# The caller's secrets stay with the caller. What passes is about this machine: where the libraries of its
# interpreter lie, and whom its TLS trusts.
_INHERITED = ("LD_LIBRARY_PATH", "SSL_CERT_DIR", "SSL_CERT_FILE")


def function_variables(
    sandbox: Sandbox, function: FunctionConfiguration, caller: Mapping[str, str], *, api_address: str
) -> dict[str, str]:
    """Put the whole environment of a function's process together.

    Args:
        sandbox: The folders of the process.
        function: Its own variables change the defaults.
        caller: The environment of the process that we run in.
        api_address: The Runtime API, as ``host:port``.
    """
    return {
        **_defaults(sandbox, caller),
        **function.environment,
        **_of_every_function(sandbox, function),
        **_of_its_kind(function),
        "AWS_LAMBDA_RUNTIME_API": api_address,
    }


def _of_every_function(sandbox: Sandbox, function: FunctionConfiguration) -> dict[str, str]:
    return {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sandbox.python_version}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "LAMBDA_RUNTIME_DIR": str(sandbox.runtime),
        "LAMBDA_TASK_ROOT": str(sandbox.task_root),
        "PYTHONPATH": os.pathsep.join(map(str, sandbox.python_path)),
        "_HANDLER": function.handler,
    }


def _of_its_kind(function: FunctionConfiguration) -> dict[str, str]:
    if function.snap_start:
        # A snapshot belongs to no log: Lambda leaves the names of it out.
        return {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    log = {
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.function_name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{dt.datetime.now(tz=dt.UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}",
    }
    if function.max_concurrency is None:
        return {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", **log}
    return {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances",
        "AWS_LAMBDA_MAX_CONCURRENCY": str(function.max_concurrency),
        **log,
    }


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
