"""Permissions as the protocol writes them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.permissions import Permission, Right
from momento_lambda.wire import auth_pb2 as pb
from momento_lambda.wire.arguments import cache_name

_CacheOrTopics: TypeAlias = pb.PermissionsType.CachePermissions | pb.PermissionsType.TopicPermissions

_CACHE_ROLES: Final = {
    Right.READ | Right.WRITE: pb.CacheReadWrite,
    Right.READ: pb.CacheReadOnly,
    Right.WRITE: pb.CacheWriteOnly,
}
_TOPIC_ROLES: Final = {
    Right.PUBLISH | Right.SUBSCRIBE: pb.TopicReadWrite,
    Right.SUBSCRIBE: pb.TopicReadOnly,
    Right.PUBLISH: pb.TopicWriteOnly,
}
_CACHE_RIGHTS: Final = {role: rights for rights, role in _CACHE_ROLES.items()}
_TOPIC_RIGHTS: Final = {role: rights for rights, role in _TOPIC_ROLES.items()}


def permissions_message(permissions: Iterable[Permission]) -> pb.Permissions:
    """Return the message that says what permissions do."""
    return pb.Permissions(explicit=pb.ExplicitPermissions(permissions=map(_message, permissions)))


def read_permissions(message: pb.Permissions) -> tuple[Permission, ...]:
    """Return what a message allows.

    Raises:
        InvalidArgumentError: It allows everything, nothing, or something that cannot be said here.
    """
    if message.WhichOneof("kind") != "explicit" or not message.explicit.permissions:
        raise InvalidArgumentError("a disposable token is for something: name what it allows, and not everything")
    return tuple(map(_read, message.explicit.permissions))


def _message(permission: Permission) -> pb.PermissionsType:
    if permission.rights in _CACHE_ROLES:
        items = pb.PermissionsType.CachePermissions(role=_CACHE_ROLES[permission.rights])
        _name_cache(items, permission.cache)
        if permission.everything:
            items.all_items.SetInParent()
        elif permission.prefix:
            items.item_selector.key_prefix = permission.name
        else:
            items.item_selector.key = permission.name
        return pb.PermissionsType(cache_permissions=items)
    topics = pb.PermissionsType.TopicPermissions(role=_TOPIC_ROLES[permission.rights])
    _name_cache(topics, permission.cache)
    if permission.everything:
        topics.all_topics.SetInParent()
    elif permission.prefix:
        topics.topic_selector.topic_name_prefix = _topic_name(permission)
    else:
        topics.topic_selector.topic_name = _topic_name(permission)
    return pb.PermissionsType(topic_permissions=topics)


def _name_cache(message: _CacheOrTopics, cache: str | None) -> None:
    if cache is None:
        message.all_caches.SetInParent()
    else:
        message.cache_selector.cache_name = cache_name(cache)


def _topic_name(permission: Permission) -> str:
    try:
        return permission.name.decode()
    except UnicodeDecodeError:
        raise InvalidArgumentError("the topic of a permission is not text: only keys may be any bytes") from None


def _read(message: pb.PermissionsType) -> Permission:
    match message.WhichOneof("kind"):
        case "cache_permissions":
            items = message.cache_permissions
            name, prefix = _items(items)
            return Permission(_rights(_CACHE_RIGHTS, items.role), _cache(items), name, prefix)
        case "topic_permissions":
            topics = message.topic_permissions
            name, prefix = _topics(topics)
            return Permission(_rights(_TOPIC_RIGHTS, topics.role), _cache(topics), name, prefix)
        case _:
            raise _unheard_of("is neither for items nor for topics")


def _rights(rights: Mapping[Any, Right], role: int) -> Right:
    if role not in rights:
        raise _unheard_of("has no role that allows anything; permissions add up, and none takes away")
    return rights[role]


def _cache(message: _CacheOrTopics) -> str | None:
    match message.WhichOneof("cache"):
        case "all_caches":
            return None
        case "cache_selector":
            return cache_name(message.cache_selector.cache_name)
        case _:
            raise _unheard_of("names no cache, and does not say that it is for all")


def _items(message: pb.PermissionsType.CachePermissions) -> tuple[bytes, bool]:
    selector = message.item_selector
    # Official clients say nothing of items where they mean all.
    if message.WhichOneof("cache_item") != "item_selector":
        return b"", True
    match selector.WhichOneof("kind"):
        case "key":
            return selector.key, False
        case "key_prefix":
            return selector.key_prefix, True
        case _:
            raise _unheard_of("selects items, and does not say which")


def _topics(message: pb.PermissionsType.TopicPermissions) -> tuple[bytes, bool]:
    selector = message.topic_selector
    if message.WhichOneof("topic") == "all_topics":
        return b"", True
    match selector.WhichOneof("kind"):
        case "topic_name":
            return selector.topic_name.encode(), False
        case "topic_name_prefix":
            return selector.topic_name_prefix.encode(), True
        case _:
            raise _unheard_of("does not say for which topics it is")


def _unheard_of(reason: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"a permission {reason}: give it a role, a cache or all, and items or topics")
