"""The function that takes orders from the queue, from its folder of the build."""

import json
from typing import Any

from momento_lambda import SimpleCacheClient
from tests.sam.application import CACHE, Application, event, new_id


def orders(*placed: dict[str, Any]) -> dict[str, Any]:
    """Return the event of so many messages of the queue."""
    message = event("orders/twice")["Records"][0]
    return {
        "Records": [
            message | {"messageId": f"message-{number}", "body": json.dumps(order)}
            for number, order in enumerate(placed)
        ]
    }


def order(product_id: str, quantity: int, order_id: str | None = None) -> dict[str, Any]:
    """Return an order, of an id that is new unless it is given."""
    return {"order_id": order_id or new_id(), "product_id": product_id, "quantity": quantity}


def stock(application: Application, product_id: str) -> int:
    """Return how many of a product there are."""
    item = application.get(product_id)
    assert item is not None
    return int(item["stock"]["N"])


def failed(*numbers: int) -> dict[str, Any]:
    """Return the answer that names messages."""
    return {"batchItemFailures": [{"itemIdentifier": f"message-{number}"} for number in numbers]}


def test_an_order_is_carried_out_once(application: Application) -> None:
    """Delivered twice in a batch, again in another, and to a cold environment, an order takes from the stock once."""
    product_id = new_id()
    application.put(product_id, stock=10)
    placed = order(product_id, 2)
    answers = [application.invoke("OrdersFunction", orders(placed, placed)).payload]
    answers.append(application.invoke("OrdersFunction", orders(placed)).payload)
    with application.function("OrdersFunction") as elsewhere:
        cold = elsewhere.invoke(orders(placed))
    assert ([failed()] * 2, failed(), True) == (answers, cold.payload, cold.cold)
    assert 8 == stock(application, product_id)


def test_each_order_counts(application: Application) -> None:
    """Orders that are alike in all but their id are different orders."""
    product_id = new_id()
    application.put(product_id, stock=10)
    answered = application.invoke("OrdersFunction", orders(order(product_id, 2), order(product_id, 2)))
    assert (failed(), 6) == (answered.payload, stock(application, product_id))


def test_what_failed_is_named_and_may_be_tried_again(application: Application) -> None:
    """An order for more than there is fails alone, and is carried out when it is delivered after stock has come."""
    product_id = new_id()
    application.put(product_id, stock=3)
    small, large = order(product_id, 1), order(product_id, 5)
    answered = application.invoke("OrdersFunction", orders(small, large))
    assert (failed(1), 2) == (answered.payload, stock(application, product_id))
    application.put(product_id, stock=7)
    answered = application.invoke("OrdersFunction", orders(large, small))
    assert (failed(), 2) == (answered.payload, stock(application, product_id))


def test_an_order_without_an_id_is_not_carried_out(application: Application) -> None:
    """Nobody could tell whether it had been: it fails, and ends among the dead letters."""
    product_id = new_id()
    application.put(product_id, stock=10)
    nameless = {"product_id": product_id, "quantity": 2}
    answered = application.invoke("OrdersFunction", orders(order(product_id, 1), nameless))
    assert (failed(1), 9) == (answered.payload, stock(application, product_id))


def test_nothing_is_carried_out_while_the_cache_is_down(application: Application) -> None:
    """Without the cache nobody knows what was carried out: all orders fail, and are delivered again."""
    product_id = new_id()
    application.put(product_id, stock=10)
    secret = application.store_secret("orders-token-of-nowhere", application.token_of_a_dead_server())
    placed = orders(order(product_id, 1), order(product_id, 2))
    with application.function("OrdersFunction", MOMENTO_API_KEY_SECRET=secret) as function:
        answered = function.invoke(placed)
    assert answered.error is not None
    assert "BatchProcessingError" == answered.error.type
    assert 10 == stock(application, product_id)
    assert failed() == application.invoke("OrdersFunction", placed).payload
    assert 7 == stock(application, product_id)


def test_the_example_s_events(application: Application) -> None:
    """Of the events that come with the application, one order counts once, and the one that is too large fails."""
    with SimpleCacheClient(application.server.credentials, 60) as client:
        client.flush_cache(CACHE)
    application.put("mug", stock=40)
    twice = application.invoke("OrdersFunction", event("orders/twice")).payload
    too_many = application.invoke("OrdersFunction", event("orders/too_many"))
    assert (failed(), 37) == (twice, stock(application, "mug"))
    large = event("orders/too_many")["Records"][1]["messageId"]
    assert {"batchItemFailures": [{"itemIdentifier": large}]} == too_many.payload
