"""The JSON file beside a layer that says what is inside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from momento_lambda_layer.layer import Layer


def render_manifest(layer: Layer) -> str:
    """Return the manifest of a layer as JSON text: equal layers give equal text."""
    content = {
        "name": "momento-lambda",
        "version": layer.version,
        "targets": [
            {"runtime": target.runtime.name, "architecture": target.architecture.name} for target in layer.plan.targets
        ],
        "file": layer.path.name,
        "sha256": layer.sha256,
        "content_sha256": layer.content_sha256,
        "files": layer.file_count,
        "bytes": {"zipped": layer.zipped_bytes, "unzipped": layer.unzipped_bytes},
        "bytecode": {"mode": layer.bytecode, "compilers": dict(layer.compilers)},
        "wheels": [
            {"name": wheel.name, "version": wheel.version, "file": wheel.file, "sha256": wheel.sha256}
            for wheel in layer.wheels
        ],
        "left_out": list(layer.left_out),
        "tools": dict(layer.tools),
    }
    return json.dumps(content, indent=2) + "\n"
