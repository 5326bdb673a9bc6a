"""From the start of a function's process to its first hit, over TLS, beside the official SDK."""

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import trustme

from benchmarks.beside import running, stay
from benchmarks.charts import BarChart
from benchmarks.cold.layers import OFFICIAL, our_layer, plain_layer, without_bytecode
from benchmarks.report import Report, Target, arguments, publish
from benchmarks.spread import ratio, spread
from momento_lambda import CredentialProvider, SimpleCacheClient
from momento_lambda.server import LocalServer
from momento_lambda.testing import LocalLambda, local_lambda_available

FUNCTIONS = Path(__file__).with_name("cold") / "functions"
CACHE, KEY, USER = "users", "user-7", json.dumps({"id": "7", "name": "Grace"})
OURS, THEIRS = "client, layer", "official SDK, plain layer"
UNTUNED = "client, layer, gRPC as it is"
MOST_OF_OFFICIAL = 0.65


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    if not local_lambda_available():
        sys.exit("cold_start.py needs awslambdaric, which has wheels for Linux alone")
    with tempfile.TemporaryDirectory(prefix="momento-lambda-cold-") as name, running(_serve) as environment:
        folder = Path(name)
        ours = our_layer(folder, offline=told.quick)
        sources = without_bytecode(ours, folder / "sources")
        functions = {
            OURS: ("client", ours),
            UNTUNED: ("client", ours),
            "@cached, layer": ("cached", ours),
            "client, layer without bytecode": ("client", sources),
            THEIRS: ("official", plain_layer(folder / "official", *OFFICIAL)),
        }
        found = measure(folder, functions, environment, rounds=1 if told.quick else 8)
    publish(report(found), write=told.write)


def measure(
    folder: Path, functions: dict[str, tuple[str, Path]], environment: dict[str, str], rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """Start functions by turns; return the milliseconds of coming up and of the first event, for each start."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in functions}
    for module in {module for module, _ in functions.values()}:
        (folder / "functions" / module).mkdir(parents=True)
        shutil.copy(FUNCTIONS / f"{module}.py", folder / "functions" / module)
    for number in range(rounds + 1):
        for name, (module, layer) in functions.items():
            switch = {"MOMENTO_LAMBDA_GRPC_TUNING": "0"} if name == UNTUNED else {}
            function = LocalLambda(
                f"{module}.handler",
                task_root=folder / "functions" / module,
                layers=[layer],
                # /opt and /var/task keep nothing that is compiled.
                environment=environment | switch | {"PYTHONDONTWRITEBYTECODE": "1"},
                init_timeout=60,
            )
            with function:
                first = function.invoke({"key": KEY})
            assert first.payload == USER, (name, first)
            assert first.init_duration_ms is not None
            if number:  # the first round warms up the file system
                found[name].append((first.init_duration_ms, first.duration_ms))
    return found


def _serve(parent: Connection) -> None:
    """Run a server with a certificate of its own; say what a function needs to reach it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain = b"".join(part.bytes() for part in certificate.cert_chain_pems)
    with LocalServer(caches=[CACHE], tls_certificate=chain, tls_key=certificate.private_key_pem.bytes()) as server:
        trusted, token = authority.cert_pem.bytes(), server.create_token()
        credentials = CredentialProvider.from_string(token, cache_endpoint=server.address, root_certificates=trusted)
        with SimpleCacheClient(credentials, 3_600) as client:
            client.set(CACHE, KEY, USER)
        stay(parent, {"TOKEN": token, "SERVER": server.address, "AUTHORITY": trusted.decode(), "CACHE": CACHE})


def report(found: dict[str, list[tuple[float, float]]]) -> Report:
    """Return the table."""
    totals = {name: [init + first for init, first in each] for name, each in found.items()}
    spreads = {name: spread(each) for name, each in totals.items()}
    to_official = ratio(totals[OURS], totals[THEIRS]).median
    return Report(
        title="Cold starts",
        about=(
            "A function that reads one value, from the start of its process to the end of its first invocation, which "
            "hits: on Lambda's own\nruntime client, over TLS, with nothing on its path but its module and one layer. "
            "The layer is this project's, unzipped; the plain one\nholds the official SDK as `pip install -t` and zip "
            "leave it. Starts take turns; ratios are of them, medians."
        ),
        header=("function", "to official SDK", "start to first hit, ms", "coming up, ms", "first invocation, ms"),
        rows=[_row(name, each, totals) for name, each in found.items()],
        figures=spreads,
        targets=[Target("start to first hit, to the official SDK", to_official, MOST_OF_OFFICIAL)],
        chart=BarChart("From the start of the process to the first hit, over TLS", "ms", {"": spreads}),
    )


def _row(name: str, found: Sequence[tuple[float, float]], totals: dict[str, list[float]]) -> Sequence[str]:
    inits, firsts = zip(*found, strict=True)
    return (
        name,
        f"{ratio(totals[name], totals[THEIRS]).median:.2f}",
        spread(totals[name]).shown(0),
        spread(inits).shown(0),
        spread(firsts).shown(1),
    )


if __name__ == "__main__":
    main()
