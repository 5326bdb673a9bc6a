from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CacheResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INVALID: _ClassVar[CacheResult]
    OK: _ClassVar[CacheResult]
    HIT: _ClassVar[CacheResult]
    MISS: _ClassVar[CacheResult]
INVALID: CacheResult
OK: CacheResult
HIT: CacheResult
MISS: CacheResult

class GetRequest(_message.Message):
    __slots__ = ("cache_key",)
    CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    cache_key: bytes
    def __init__(self, cache_key: _Optional[bytes] = ...) -> None: ...

class GetResponse(_message.Message):
    __slots__ = ("result", "cache_body", "message", "packed")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CACHE_BODY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PACKED_FIELD_NUMBER: _ClassVar[int]
    result: CacheResult
    cache_body: bytes
    message: str
    packed: _containers.RepeatedCompositeFieldContainer[GetResponse]
    def __init__(self, result: _Optional[_Union[CacheResult, str]] = ..., cache_body: _Optional[bytes] = ..., message: _Optional[str] = ..., packed: _Optional[_Iterable[_Union[GetResponse, _Mapping]]] = ...) -> None: ...

class GetBatchRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[GetRequest]
    def __init__(self, items: _Optional[_Iterable[_Union[GetRequest, _Mapping]]] = ...) -> None: ...

class SetRequest(_message.Message):
    __slots__ = ("cache_key", "cache_body", "ttl_milliseconds")
    CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    CACHE_BODY_FIELD_NUMBER: _ClassVar[int]
    TTL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    cache_key: bytes
    cache_body: bytes
    ttl_milliseconds: int
    def __init__(self, cache_key: _Optional[bytes] = ..., cache_body: _Optional[bytes] = ..., ttl_milliseconds: _Optional[int] = ...) -> None: ...

class SetResponse(_message.Message):
    __slots__ = ("result", "message", "packed")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PACKED_FIELD_NUMBER: _ClassVar[int]
    result: CacheResult
    message: str
    packed: _containers.RepeatedCompositeFieldContainer[SetResponse]
    def __init__(self, result: _Optional[_Union[CacheResult, str]] = ..., message: _Optional[str] = ..., packed: _Optional[_Iterable[_Union[SetResponse, _Mapping]]] = ...) -> None: ...

class SetBatchRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[SetRequest]
    def __init__(self, items: _Optional[_Iterable[_Union[SetRequest, _Mapping]]] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("cache_key",)
    CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    cache_key: bytes
    def __init__(self, cache_key: _Optional[bytes] = ...) -> None: ...

class DeleteResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Present(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Absent(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PresentAndNotEqual(_message.Message):
    __slots__ = ("value_to_check",)
    VALUE_TO_CHECK_FIELD_NUMBER: _ClassVar[int]
    value_to_check: bytes
    def __init__(self, value_to_check: _Optional[bytes] = ...) -> None: ...

class Equal(_message.Message):
    __slots__ = ("value_to_check",)
    VALUE_TO_CHECK_FIELD_NUMBER: _ClassVar[int]
    value_to_check: bytes
    def __init__(self, value_to_check: _Optional[bytes] = ...) -> None: ...

class AbsentOrEqual(_message.Message):
    __slots__ = ("value_to_check",)
    VALUE_TO_CHECK_FIELD_NUMBER: _ClassVar[int]
    value_to_check: bytes
    def __init__(self, value_to_check: _Optional[bytes] = ...) -> None: ...

class NotEqual(_message.Message):
    __slots__ = ("value_to_check",)
    VALUE_TO_CHECK_FIELD_NUMBER: _ClassVar[int]
    value_to_check: bytes
    def __init__(self, value_to_check: _Optional[bytes] = ...) -> None: ...

class SetIfRequest(_message.Message):
    __slots__ = ("cache_key", "cache_body", "ttl_milliseconds", "present", "present_and_not_equal", "absent", "equal", "absent_or_equal", "not_equal")
    CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    CACHE_BODY_FIELD_NUMBER: _ClassVar[int]
    TTL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    PRESENT_AND_NOT_EQUAL_FIELD_NUMBER: _ClassVar[int]
    ABSENT_FIELD_NUMBER: _ClassVar[int]
    EQUAL_FIELD_NUMBER: _ClassVar[int]
    ABSENT_OR_EQUAL_FIELD_NUMBER: _ClassVar[int]
    NOT_EQUAL_FIELD_NUMBER: _ClassVar[int]
    cache_key: bytes
    cache_body: bytes
    ttl_milliseconds: int
    present: Present
    present_and_not_equal: PresentAndNotEqual
    absent: Absent
    equal: Equal
    absent_or_equal: AbsentOrEqual
    not_equal: NotEqual
    def __init__(self, cache_key: _Optional[bytes] = ..., cache_body: _Optional[bytes] = ..., ttl_milliseconds: _Optional[int] = ..., present: _Optional[_Union[Present, _Mapping]] = ..., present_and_not_equal: _Optional[_Union[PresentAndNotEqual, _Mapping]] = ..., absent: _Optional[_Union[Absent, _Mapping]] = ..., equal: _Optional[_Union[Equal, _Mapping]] = ..., absent_or_equal: _Optional[_Union[AbsentOrEqual, _Mapping]] = ..., not_equal: _Optional[_Union[NotEqual, _Mapping]] = ...) -> None: ...

class SetIfResponse(_message.Message):
    __slots__ = ("stored", "not_stored")
    class Stored(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class NotStored(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    STORED_FIELD_NUMBER: _ClassVar[int]
    NOT_STORED_FIELD_NUMBER: _ClassVar[int]
    stored: SetIfResponse.Stored
    not_stored: SetIfResponse.NotStored
    def __init__(self, stored: _Optional[_Union[SetIfResponse.Stored, _Mapping]] = ..., not_stored: _Optional[_Union[SetIfResponse.NotStored, _Mapping]] = ...) -> None: ...

class SetIfNotExistsRequest(_message.Message):
    __slots__ = ("cache_key", "cache_body", "ttl_milliseconds")
    CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    CACHE_BODY_FIELD_NUMBER: _ClassVar[int]
    TTL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    cache_key: bytes
    cache_body: bytes
    ttl_milliseconds: int
    def __init__(self, cache_key: _Optional[bytes] = ..., cache_body: _Optional[bytes] = ..., ttl_milliseconds: _Optional[int] = ...) -> None: ...

class SetIfNotExistsResponse(_message.Message):
    __slots__ = ("stored", "not_stored")
    class Stored(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class NotStored(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    STORED_FIELD_NUMBER: _ClassVar[int]
    NOT_STORED_FIELD_NUMBER: _ClassVar[int]
    stored: SetIfNotExistsResponse.Stored
    not_stored: SetIfNotExistsResponse.NotStored
    def __init__(self, stored: _Optional[_Union[SetIfNotExistsResponse.Stored, _Mapping]] = ..., not_stored: _Optional[_Union[SetIfNotExistsResponse.NotStored, _Mapping]] = ...) -> None: ...

class KeysExistRequest(_message.Message):
    __slots__ = ("cache_keys",)
    CACHE_KEYS_FIELD_NUMBER: _ClassVar[int]
    cache_keys: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, cache_keys: _Optional[_Iterable[bytes]] = ...) -> None: ...

class KeysExistResponse(_message.Message):
    __slots__ = ("exists",)
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    exists: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, exists: _Optional[_Iterable[bool]] = ...) -> None: ...

class IncrementRequest(_message.Message):
    __slots__ = ("cache_key", "amount", "ttl_milliseconds")
    CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    TTL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    cache_key: bytes
    amount: int
    ttl_milliseconds: int
    def __init__(self, cache_key: _Optional[bytes] = ..., amount: _Optional[int] = ..., ttl_milliseconds: _Optional[int] = ...) -> None: ...

class IncrementResponse(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: int
    def __init__(self, value: _Optional[int] = ...) -> None: ...

class UpdateTtlRequest(_message.Message):
    __slots__ = ("cache_key", "increase_to_milliseconds", "decrease_to_milliseconds", "overwrite_to_milliseconds")
    CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    INCREASE_TO_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    DECREASE_TO_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    OVERWRITE_TO_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    cache_key: bytes
    increase_to_milliseconds: int
    decrease_to_milliseconds: int
    overwrite_to_milliseconds: int
    def __init__(self, cache_key: _Optional[bytes] = ..., increase_to_milliseconds: _Optional[int] = ..., decrease_to_milliseconds: _Optional[int] = ..., overwrite_to_milliseconds: _Optional[int] = ...) -> None: ...

class UpdateTtlResponse(_message.Message):
    __slots__ = ("set", "not_set", "missing")
    class Set(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class NotSet(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Missing(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    SET_FIELD_NUMBER: _ClassVar[int]
    NOT_SET_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    set: UpdateTtlResponse.Set
    not_set: UpdateTtlResponse.NotSet
    missing: UpdateTtlResponse.Missing
    def __init__(self, set: _Optional[_Union[UpdateTtlResponse.Set, _Mapping]] = ..., not_set: _Optional[_Union[UpdateTtlResponse.NotSet, _Mapping]] = ..., missing: _Optional[_Union[UpdateTtlResponse.Missing, _Mapping]] = ...) -> None: ...

class ItemGetTtlRequest(_message.Message):
    __slots__ = ("cache_key",)
    CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    cache_key: bytes
    def __init__(self, cache_key: _Optional[bytes] = ...) -> None: ...

class ItemGetTtlResponse(_message.Message):
    __slots__ = ("found", "missing")
    class Found(_message.Message):
        __slots__ = ("remaining_ttl_millis",)
        REMAINING_TTL_MILLIS_FIELD_NUMBER: _ClassVar[int]
        remaining_ttl_millis: int
        def __init__(self, remaining_ttl_millis: _Optional[int] = ...) -> None: ...
    class Missing(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    FOUND_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    found: ItemGetTtlResponse.Found
    missing: ItemGetTtlResponse.Missing
    def __init__(self, found: _Optional[_Union[ItemGetTtlResponse.Found, _Mapping]] = ..., missing: _Optional[_Union[ItemGetTtlResponse.Missing, _Mapping]] = ...) -> None: ...

class ItemGetTypeRequest(_message.Message):
    __slots__ = ("cache_key",)
    CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    cache_key: bytes
    def __init__(self, cache_key: _Optional[bytes] = ...) -> None: ...

class ItemGetTypeResponse(_message.Message):
    __slots__ = ("found", "missing")
    class ItemType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SCALAR: _ClassVar[ItemGetTypeResponse.ItemType]
        DICTIONARY: _ClassVar[ItemGetTypeResponse.ItemType]
        SET: _ClassVar[ItemGetTypeResponse.ItemType]
        LIST: _ClassVar[ItemGetTypeResponse.ItemType]
        SORTED_SET: _ClassVar[ItemGetTypeResponse.ItemType]
    SCALAR: ItemGetTypeResponse.ItemType
    DICTIONARY: ItemGetTypeResponse.ItemType
    SET: ItemGetTypeResponse.ItemType
    LIST: ItemGetTypeResponse.ItemType
    SORTED_SET: ItemGetTypeResponse.ItemType
    class Found(_message.Message):
        __slots__ = ("item_type",)
        ITEM_TYPE_FIELD_NUMBER: _ClassVar[int]
        item_type: ItemGetTypeResponse.ItemType
        def __init__(self, item_type: _Optional[_Union[ItemGetTypeResponse.ItemType, str]] = ...) -> None: ...
    class Missing(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    FOUND_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    found: ItemGetTypeResponse.Found
    missing: ItemGetTypeResponse.Missing
    def __init__(self, found: _Optional[_Union[ItemGetTypeResponse.Found, _Mapping]] = ..., missing: _Optional[_Union[ItemGetTypeResponse.Missing, _Mapping]] = ...) -> None: ...

class PingRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PingResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
