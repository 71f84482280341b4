"""What a client asks of Kinto: people who keep notes in buckets, read them back, filter, page, err and tidy up."""

import random

import httpx

NOTES = 24
AUTHORS = ("ada", "grace", "edsger", "radia")


def kinto(client: httpx.Client) -> None:
    """At least 300 requests, the same ones each time."""
    rng = random.Random(7)
    for author in AUTHORS:
        # The default scheme of Kinto's own documentation; the account needs no set-up.
        asker = Asker(client, httpx.BasicAuth(author, "not-a-secret"))
        asker.put(f"/v1/buckets/{author}", {"data": {"kind": "notebook"}})
        asker.put(f"/v1/buckets/{author}/collections/notes", {})
        asker.put(f"/v1/buckets/{author}/groups/readers", {"data": {"members": ["system.Everyone"]}})
        write(asker, author, rng)
        read(asker, author, rng)
        stray(asker, author)


class Asker:
    """A client in somebody's name."""

    def __init__(self, client: httpx.Client, auth: httpx.Auth) -> None:
        self._client = client
        self._auth = auth

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """One request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.request(method, path, json=body, auth=self._auth, headers=named)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET."""
        return self.ask("GET", path, **headers)

    def put(self, path: str, body: object) -> httpx.Response:
        """PUT."""
        return self.ask("PUT", path, body)


def write(asker: Asker, author: str, rng: random.Random) -> None:
    """Notes with names of their own, and changes to some of them."""
    for number in range(NOTES):
        note = {"title": f"Note {number}", "stars": rng.randrange(5), "mail": f"{author}.{number}@mail-provider.net"}
        asker.put(f"{notes(author)}/note-{number}", {"data": note})
    for number in rng.sample(range(NOTES), 6):
        asker.ask("PATCH", f"{notes(author)}/note-{number}", {"data": {"stars": 5}})
    asker.ask("POST", notes(author), {"data": {"title": "Whatever its number", "stars": 1}})


def read(asker: Asker, author: str, rng: random.Random) -> None:
    """One by one, by what is in them, by pages, and not again what has not changed."""
    for number in rng.sample(range(NOTES), 16):
        asker.get(f"{notes(author)}/note-{number}")
    for question in ("stars=5", "min_stars=3&_sort=-stars", "_sort=title&_limit=5", "like_title=1", "_fields=title"):
        asker.get(f"{notes(author)}?{question}")
    page = asker.get(f"{notes(author)}?_limit=10&_sort=title")
    while following := page.headers.get("next-page"):
        page = asker.get(httpx.URL(following).raw_path.decode())
    asker.ask("HEAD", notes(author))
    known = asker.get(f"{notes(author)}/note-0").headers["etag"]
    asker.get(f"{notes(author)}/note-0", If_None_Match=known)
    asker.ask("POST", "/v1/batch", {"requests": [{"path": f"{notes(author)}/note-{number}"} for number in range(4)]})
    asker.get(f"/v1/buckets/{author}/groups/readers")
    asker.get(f"/v1/buckets/{author}/history?_limit=5")


def stray(asker: Asker, author: str) -> None:
    """What is not there, not allowed, not well-formed; and some of it thrown away."""
    asker.get(f"{notes(author)}/no-such-note")
    asker.get("/v1/buckets/somebody-else/collections/notes/records")
    asker.put(f"{notes(author)}/note-1", {"data": "not an object"})
    asker.ask("DELETE", f"{notes(author)}/note-2")
    asker.ask("DELETE", f"{notes(author)}?stars=0")
    asker.get(f"{notes(author)}?_since=0")


def notes(author: str) -> str:
    """Where somebody's notes are."""
    return f"/v1/buckets/{author}/collections/notes/records"
