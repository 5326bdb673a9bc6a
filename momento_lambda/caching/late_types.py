"""Types whose modules a cold start does not wait for: decimal and uuid would take it milliseconds.

Whoever has a value of such a type has imported its module, so they are looked for among those that are imported.
"""

import sys
from typing import Final

_MODULES: Final = {"Decimal": "decimal", "UUID": "uuid"}


def late_types() -> dict[str, type]:
    """Return Decimal and UUID by their names, as far as anybody has imported them."""
    found = {name: getattr(sys.modules.get(module), name, None) for name, module in _MODULES.items()}
    return {name: kind for name, kind in found.items() if kind is not None}
