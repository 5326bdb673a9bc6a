"""The functions behind the API, each from its folder of the build."""

import json
from typing import Any

import pytest

from momento_lambda import SimpleCacheClient
from tests.sam.application import CACHE, Application, answer, event, get, metrics, new_id


def get_many(*product_ids: str) -> dict[str, Any]:
    """Return the request for many products."""
    return event("batch/three") | {"queryStringParameters": {"ids": ",".join(product_ids)}}


def put(product_id: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the request that stores a product."""
    return put_text(product_id, json.dumps(fields))


def put_text(product_id: str, body: str | None) -> dict[str, Any]:
    """Return the request that stores a product, whatever its body."""
    return event("write/put") | {"pathParameters": {"id": product_id}, "body": body}


def delete(product_id: str) -> dict[str, Any]:
    """Return the request that deletes a product."""
    return event("write/delete") | {"pathParameters": {"id": product_id}}


def lifetime(application: Application, product_id: str) -> float:
    """Return the seconds that the cache keeps a product for."""
    with SimpleCacheClient(application.server.credentials, 60) as client:
        left = client.item_get_ttl(CACHE, f"product:{product_id}")
    assert left is not None
    return left.total_seconds()


def test_cold_and_warm(application: Application) -> None:
    """A new environment misses and loads once, and then hits, warm and cold alike; only the first comes up."""
    product_id = new_id()
    application.put(product_id, name="Mug", price=9)
    answers = []
    for _ in range(2):
        with application.function("ReadFunction") as function:
            cold, warm = function.invoke(get(product_id)), function.invoke(get(product_id))
        assert ((True, False), None) == ((cold.cold, warm.cold), warm.init_duration_ms)
        answers += [answer(cold), answer(warm)]
    assert ["loader", "cache", "cache", "cache"] == [each.headers["x-cache"] for each in answers]
    assert all((200, {"id": product_id, "name": "Mug", "price": 9}) == each[:2] for each in answers)


def test_hit_and_miss_are_counted(application: Application) -> None:
    """Each invocation tells CloudWatch what the cache did for it, and how long that took."""
    product_id = new_id()
    application.put(product_id)
    lines = [metrics(application.invoke("ReadFunction", get(product_id))) for _ in range(2)]
    ((miss,), (hit,)) = lines
    assert [(0, 1, 1), (1, 0, 0)] == [
        (line["CacheHits"], line["CacheMisses"], line["CacheLoads"]) for line in (miss, hit)
    ]
    assert [1, 1] == [len(line["CacheReadTime"]) for line in (miss, hit)]
    assert (0, 0) == (miss["CacheErrors"], hit["CacheBreakerOpen"])


def test_numbers_are_answered_as_they_are_in_the_table(application: Application) -> None:
    """What DynamoDB has as a Decimal is a number in the answer, loaded and cached alike."""
    product_id = new_id()
    body = {"name": "Mug", "price": 9.5, "stock": 40, "tags": ["new", {"depth": 1}]}
    application.invoke("WriteFunction", put(product_id, body))
    expected = body | {"id": product_id}
    written = answer(application.invoke("ReadFunction", get(product_id)))
    with SimpleCacheClient(application.server.credentials, 60) as client:
        client.delete(CACHE, f"product:{product_id}")
    loaded, cached = (answer(application.invoke("ReadFunction", get(product_id))) for _ in range(2))
    assert [expected] * 3 == [written.body, loaded.body, cached.body]
    assert ["cache", "loader", "cache"] == [each.headers["x-cache"] for each in (written, loaded, cached)]


@pytest.mark.parametrize(("hot", "shortest", "longest"), [(True, 0, 10), (False, 3000, 3600)], ids=["hot", "cold"])
def test_each_product_has_a_lifetime_of_its_own(
    application: Application, shortest: int, longest: int, *, hot: bool
) -> None:
    """A hot product is kept for ten seconds and a cold one for an hour, less a little that keeps them apart."""
    product_id = new_id()
    application.put(product_id, hot=hot)
    application.invoke("ReadFunction", get(product_id))
    assert shortest < lifetime(application, product_id) <= longest


def test_an_absent_product_is_remembered(application: Application) -> None:
    """What is not there is not looked for again in the half minute that follows."""
    product_id = new_id()
    first, second = (answer(application.invoke("ReadFunction", get(product_id))) for _ in range(2))
    assert [(404, "loader"), (404, "cache")] == [(each.status, each.headers["x-cache"]) for each in (first, second)]
    assert 10 < lifetime(application, product_id) <= 30


def test_an_id_is_no_other_key(application: Application) -> None:
    """An id with the mark in it that separates the parts of keys is an id like any other."""
    product_id = f"{new_id()}:a%b"
    application.put(product_id, name="Odd")
    sources = [answer(application.invoke("ReadFunction", get(product_id))).headers["x-cache"] for _ in range(2)]
    application.invoke("WriteFunction", delete(product_id))
    gone = answer(application.invoke("ReadFunction", get(product_id)))
    assert (["loader", "cache"], 404) == (sources, gone.status)


def test_batch(application: Application) -> None:
    """Many products are one answer, those that do not exist as null; the next time nothing is loaded."""
    mug, lamp, absent = new_id(), new_id(), new_id()
    application.put(mug, name="Mug")
    application.put(lamp, name="Lamp")
    first, second = (answer(application.invoke("BatchFunction", get_many(mug, absent, lamp))) for _ in range(2))
    products = {mug: {"id": mug, "name": "Mug"}, absent: None, lamp: {"id": lamp, "name": "Lamp"}}
    assert (200, {"products": products}) == first[:2] == second[:2]
    assert [mug, absent, lamp] == list(first.body["products"])
    assert ("0", "3") == (first.headers["x-cache-hits"], second.headers["x-cache-hits"])


def test_a_batch_loads_what_is_missing_alone(application: Application) -> None:
    """What one function has read the other does not load: they mean the same keys, absences included."""
    known, absent, unknown = new_id(), new_id(), new_id()
    application.put(known, name="Known")
    application.put(unknown, name="Unknown")
    for product_id in (known, absent):
        application.invoke("ReadFunction", get(product_id))
    found = answer(application.invoke("BatchFunction", get_many(known, absent, unknown)))
    assert "2" == found.headers["x-cache-hits"]
    assert {known: "Known", unknown: "Unknown"} == {
        product_id: product["name"] for product_id, product in found.body["products"].items() if product
    }
    assert "cache" == answer(application.invoke("ReadFunction", get(unknown))).headers["x-cache"]


def test_a_batch_of_more_than_a_request_of_the_table_takes(application: Application) -> None:
    """A hundred and fifty products are two requests to the table and one read of the cache."""
    product_ids = [new_id() for _ in range(150)]
    for product_id in product_ids[::50]:
        application.put(product_id, name=product_id)
    before = len(application.asked("BatchFunction"))
    found = answer(application.invoke("BatchFunction", get_many(*product_ids))).body["products"]
    assert product_ids[::50] == [product_id for product_id, product in found.items() if product]
    assert ["dynamodb:BatchGetItem"] * 2 == application.asked("BatchFunction")[before:]


@pytest.mark.parametrize("parameters", [None, {}, {"ids": ""}, {"ids": ",,"}, {"ids": ",".join(map(str, range(501)))}])
def test_a_batch_of_nothing_or_too_much_is_refused(application: Application, parameters: dict[str, str] | None) -> None:
    """A request that asks for no product, or for more than the function has time for, is told what to ask."""
    refused = answer(application.invoke("BatchFunction", event("batch/three") | {"queryStringParameters": parameters}))
    assert (400, "ask for up to 500 products, as in ?ids=mug,lamp") == (refused.status, refused.body["message"])


def test_write_then_read(application: Application) -> None:
    """What was written is read at once, from the cache, though an older one was in it, and is in the table."""
    product_id = new_id()
    application.put(product_id, name="Old")
    application.invoke("ReadFunction", get(product_id))
    written = answer(application.invoke("WriteFunction", put(product_id, {"name": "New"})))
    read = answer(application.invoke("ReadFunction", get(product_id)))
    assert (200, {"id": product_id, "name": "New"}, "cache") == (*read[:2], read.headers["x-cache"])
    assert (200, read.body) == written[:2]
    assert {"id": {"S": product_id}, "name": {"S": "New"}} == application.get(product_id)


def test_delete_then_read(application: Application) -> None:
    """What was deleted is gone from the table, and at once from the cache."""
    product_id = new_id()
    application.put(product_id)
    application.invoke("ReadFunction", get(product_id))
    deleted = answer(application.invoke("WriteFunction", delete(product_id)))
    read = answer(application.invoke("ReadFunction", get(product_id)))
    assert (204, None, 404, "loader") == (*deleted[:2], read.status, read.headers["x-cache"])
    assert application.get(product_id) is None


def test_a_body_may_be_encoded(application: Application) -> None:
    """The API encodes bodies whose type it does not know for text, as curl's usual one."""
    product_id = new_id()
    request = put_text(product_id, "eyJuYW1lIjogIk11ZyJ9") | {"isBase64Encoded": True}
    assert {"id": product_id, "name": "Mug"} == answer(application.invoke("WriteFunction", request)).body


@pytest.mark.parametrize("body", [None, "", "{", '"text"', "[1]"])
def test_what_is_no_product_is_refused(application: Application, body: str | None) -> None:
    """A body that is no JSON object changes nothing and is answered with what one is."""
    product_id = new_id()
    refused = answer(application.invoke("WriteFunction", put_text(product_id, body)))
    assert (400, "the body of a product is a JSON object") == (refused.status, refused.body["message"])
    assert application.get(product_id) is None
