"""What a real client asks of the published applications: at least 200 requests each, in a fixed order."""

from urllib.parse import quote

import httpx


def datasette(client: httpx.Client) -> None:
    """Pages, JSON, CSV, facets, sorting, paging, single rows, SQL, errors."""
    paths = ["/", "/shop", "/shop.json", "/-/databases.json", "/-/settings.json", "/shop/cheap.json", "/shop/nowhere"]
    paths += [f"/shop/products/{number}.json" for number in range(1, 61)]
    paths += [f"/shop/products/{number}" for number in range(1, 16)]
    paths += [f"/shop/products.json?_size={size}" for size in (1, 2, 5, 10, 50, 100)]
    paths += [f"/shop/products.json?_sort={column}&_size=5" for column in ("id", "title", "price", "stock")]
    paths += [f"/shop/products.json?_sort_desc=price&_size=5&stock={stock}" for stock in range(7)]
    paths += [
        f"/shop/products.json?price__gt={price}&_shape={shape}"
        for price in (100, 200, 300)
        for shape in ("array", "objects", "arrays")
    ]
    paths += [f"/shop/products.json?_facet={column}&_size=3" for column in ("stock", "maker")]
    paths += [f"/shop/products.csv?_size={size}" for size in (3, 10)] + ["/shop/makers.csv"]
    paths += [f"/shop/makers/{number}.json" for number in range(1, 6)] + ["/shop/makers.json", "/shop/makers"]
    paths += [f"/shop/products?_size={size}&_sort=price" for size in (5, 10, 20)]
    queries = [f"select id, title from products where id = {number}" for number in range(1, 41)]
    queries += [
        "select count(*) from products",
        "select * from nowhere",
        "select maker, avg(price) from products group by maker",
    ]
    paths += [f"/shop.json?sql={quote(query)}" for query in queries]
    paths += [f"/shop/products.json?_size=20&_where={quote(f'stock = {stock}')}" for stock in range(7)]
    paths += [f"/shop/products/{number}.json" for number in (999, 0, -1)]
    paths += [f"/shop/products.json?title__contains={number}&_size=4" for number in range(30)]
    get_all(client, paths)


def httpbin(client: httpx.Client) -> None:
    """Echoes, statuses, redirects, cookies, formats, encodings, authentication, images."""
    paths = [f"/get?n={number}&word=w{number}" for number in range(30)]
    paths += [
        f"/status/{code}"
        for code in (200, 201, 204, 301, 302, 400, 401, 403, 404, 405, 406, 418, 422, 429, 500, 502, 503)
    ]
    paths += [f"/redirect/{number}" for number in (1, 2, 3)] + [f"/relative-redirect/{number}" for number in (1, 2)]
    paths += [f"/absolute-redirect/{number}" for number in (1, 2)] + [
        "/redirect-to?url=/get",
        "/cookies/set?flavour=oat",
    ]
    paths += [
        "/json",
        "/xml",
        "/html",
        "/robots.txt",
        "/deny",
        "/gzip",
        "/deflate",
        "/encoding/utf8",
        "/ip",
        "/user-agent",
    ]
    paths += [
        "/headers",
        "/cookies",
        "/basic-auth/ada/lovelace",
        "/hidden-basic-auth/ada/lovelace",
        "/bearer",
        "/digest-auth/auth/ada/lovelace",
    ]
    paths += [
        "/uuid",
        "/base64/U2VhbWxpbmU=",
        "/etag/abc",
        "/cache",
        "/cache/60",
        "/delay/0",
        "/image/png",
        "/image/svg",
        "/links/5/2",
        "/nowhere",
    ]
    paths += [f"/bytes/{number}?seed={number}" for number in (1, 16, 200)] + [
        f"/stream/{number}" for number in (1, 3, 5)
    ]
    paths += [f"/response-headers?x-answer={number}" for number in range(20)]
    paths += [f"/anything/a/{number}?q={number}" for number in range(30)]
    paths += ["/range/26", "/stream-bytes/40?seed=3", "/drip?numbytes=4&duration=0", "/forms/post", "/json", "/xml"]
    get_all(client, paths)
    for number in range(25):
        client.post("/post", json={"number": number, "nested": {"list": [number, number + 1], "none": None}})
        client.put("/put", data={"a": str(number), "b": "ü"})
    for number in range(10):
        client.patch("/patch", content=f"plain text {number}".encode(), headers={"content-type": "text/plain"})
        client.delete(f"/delete?n={number}")
        client.post("/post", files={"file": (f"note-{number}.txt", b"content", "text/plain")})


def pypiserver(client: httpx.Client) -> None:
    """What pip asks, and what a person with a browser asks."""
    names = ("seam", "tide", "harbour", "lighthouse")
    for _ in range(6):
        paths = [
            "/",
            "/simple/",
            "/packages/",
            "/nowhere",
            "/simple/unknown/",
            "/packages/unknown-1.0.tar.gz",
            "/health",
        ]
        paths += [f"/simple/{name}/" for name in names] + [f"/simple/{name}" for name in names]
        paths += [f"/packages/{name}-{version}.tar.gz" for name in names for version in ("0.9", "1.0", "1.1b1")]
        paths += [f"/pypi/{name}/json" for name in names] + ["/pypi/unknown/json"]
        get_all(client, paths)
    for name in names:
        client.head(f"/packages/{name}-1.0.tar.gz")
        client.head(f"/simple/{name}/")


def get_all(client: httpx.Client, paths: list[str]) -> None:
    """GET each path; whatever the answer is, it is an answer."""
    for path in paths:
        client.get(path)
