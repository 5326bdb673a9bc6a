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
        "target": {"runtime": layer.target.runtime.name, "architecture": layer.target.architecture.name},
        "file": layer.path.name,
        "sha256": layer.sha256,
        "files": layer.file_count,
        "bytes": {"zipped": layer.zipped_bytes, "unzipped": layer.unzipped_bytes},
        "bytecode": layer.bytecode,
        "wheels": dict(layer.wheels),
        "tools": dict(layer.tools),
    }
    return json.dumps(content, indent=2) + "\n"
