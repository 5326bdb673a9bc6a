"""The function that follows the table, from its folder of the build."""

from typing import Any

from tests.sam.application import Application, answer, event, get, image, new_id


def change(product_id: str, number: int, new: dict[str, Any] | None) -> dict[str, Any]:
    """Return the record of a change as the stream has it."""
    record: dict[str, Any] = event("stream/changes")["Records"][0]
    keys = {"Keys": {"id": {"S": product_id}}, "SequenceNumber": str(number)}
    dynamodb = {name: value for name, value in record["dynamodb"].items() if name != "NewImage"}
    return record | {"dynamodb": dynamodb | keys | ({} if new is None else {"NewImage": new})}


def tell(application: Application, *changes: dict[str, Any]) -> Any:
    """Have the function told of changes, and return what it answered Lambda."""
    told = application.invoke("StreamFunction", {"Records": changes})
    assert None is told.error, told.log
    return told.payload


def read(application: Application, product_id: str) -> tuple[str, Any]:
    """Return where a product is read from, and its name."""
    found = answer(application.invoke("ReadFunction", get(product_id)))
    return found.headers["x-cache"], found.body.get("name")


def test_a_cold_product_is_invalidated(application: Application) -> None:
    """What somebody changed past the application is loaded anew when it is next read."""
    product_id = new_id()
    application.put(product_id, name="Old")
    read(application, product_id)
    application.put(product_id, name="New")
    assert ("cache", "Old") == read(application, product_id)
    told = tell(application, change(product_id, 1, image(product_id, name="New")))
    assert ({"batchItemFailures": []}, ("loader", "New")) == (told, read(application, product_id))


def test_a_hot_product_is_refreshed(application: Application) -> None:
    """A hot product is in the cache before anybody asks, and its numbers are those of the table."""
    product_id = new_id()
    application.put(product_id, name="Hot", hot=True, price=25)
    assert {"batchItemFailures": []} == tell(
        application, change(product_id, 1, image(product_id, name="Hot", hot=True, price=25))
    )
    found = answer(application.invoke("ReadFunction", get(product_id)))
    expected = {"id": product_id, "name": "Hot", "hot": True, "price": 25}
    assert ("cache", expected) == (found.headers["x-cache"], found.body)


def test_a_deleted_product_is_gone(application: Application) -> None:
    """What was deleted from the table past the application is not served any more."""
    product_id = new_id()
    application.put(product_id, name="Old", hot=True)
    read(application, product_id)
    key = {"id": {"S": product_id}}
    application.aws.client("dynamodb").delete_item(TableName=application.physical_id("Products"), Key=key)
    tell(application, change(product_id, 1, None))
    assert 404 == answer(application.invoke("ReadFunction", get(product_id))).status


def test_the_first_change_that_fails_is_named(application: Application) -> None:
    """Where the cache does not hear, Lambda is told from where to go on, and nothing is lost or out of order."""
    secret = application.store_secret("token-of-nowhere", application.token_of_a_dead_server())
    changes = [change(new_id(), number, None) for number in (10, 11)]
    with application.function("StreamFunction", MOMENTO_API_KEY_SECRET=secret) as function:
        told = function.invoke({"Records": changes})
    assert (None, {"batchItemFailures": [{"itemIdentifier": "10"}]}) == (told.error, told.payload)


def test_the_example_s_event(application: Application) -> None:
    """The event that comes with the application, with one change of each kind, is carried out."""
    assert {"batchItemFailures": []} == tell(application, *event("stream/changes")["Records"])
    assert ("cache", "Desk lamp") == read(application, "lamp")
