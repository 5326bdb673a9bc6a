#!/bin/sh
# Resolve every lock; --upgrade takes the newest versions. Locks carry hashes and no download addresses, so they fit any index.
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-annotate --no-header "$@"
}
compile "$@" pyproject.toml --all-extras --group dev --output-file locks/dev.txt
compile --constraint locks/dev.txt pyproject.toml --all-extras --group demo --output-file locks/demo.txt
compile --constraint locks/dev.txt --group bench --output-file locks/bench.txt
compile --constraint locks/dev.txt pyproject.toml --output-file layer/momento_lambda_layer/lock.txt
compile --constraint locks/dev.txt pyproject.toml --extra powertools \
    --output-file layer/momento_lambda_layer/lock-powertools.txt
compile "$@" --group wire --output-file locks/wire.txt
compile "$@" --group sam --output-file locks/sam.txt
echo uv | compile --constraint locks/dev.txt - --output-file locks/uv.txt
