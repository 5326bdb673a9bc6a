"""Each item lives by a TTL of its own: the loader says which, or the value does.

    $ python examples/per_item_ttl.py
                        1st read   2nd read   lives for another
    article, breaking   loader     cache      57 s
    article, history    loader     cache      19914 s
    article, draft      loader     loader     not stored
    article, unheard    loader     negative   29 s
    token, orders       loader     cache      3354 s

Lives are up to a tenth shorter than what was asked for, so that what was stored together is not gone together.
"""

from typing import Any

from momento_lambda import Cache, Cacheable, NoStore, Result

cache = Cache.from_env(default_ttl="5m")

ARTICLES = {
    "breaking": {"title": "It rains", "hot": True, "draft": False},
    "history": {"title": "It rained", "hot": False, "draft": False},
    "draft": {"title": "It will rain", "hot": False, "draft": True},
}


@cache.cached(key="article:{slug}", negative_ttl="30s")
def article(slug: str) -> Cacheable[dict[str, Any] | None] | NoStore[dict[str, Any] | None]:
    """Load an article, and say how long it may be kept: callers get the article alone."""
    found = ARTICLES.get(slug)
    if found is None:
        return Cacheable(None)  # an absence is remembered too, for as long as `negative_ttl` says
    if found["draft"]:
        return NoStore(found)
    return Cacheable(found, ttl="1m" if found["hot"] else "6h")


@cache.cached(key="token:{audience}", ttl=lambda token: token["expires_in"] - 30)
def token(audience: str) -> dict[str, Any]:
    """Fetch a token, which says itself when it expires; half a minute before that, another is fetched."""
    return {"audience": audience, "expires_in": 3600}


def show(name: str, first: Result[Any], second: Result[Any]) -> None:
    """Print where two answers came from, and how long the item is kept."""
    left = "not stored" if second.source == "loader" else f"{second.ttl_left:.0f} s"
    print(f"{name:<20}{first.source:<11}{second.source:<11}{left}")


def main() -> None:
    """Read every item twice."""
    print(f"{'':<20}{'1st read':<11}{'2nd read':<11}lives for another")
    for slug in ("breaking", "history", "draft", "unheard"):
        article.invalidate(slug)  # an earlier run may have left it
        show(f"article, {slug}", article.result(slug), article.result(slug))
    token.invalidate("orders")
    show("token, orders", token.result("orders"), token.result("orders"))


if __name__ == "__main__":
    main()
