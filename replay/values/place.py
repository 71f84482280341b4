"""Where a value stands in a request or an answer, so that it can be read from a live answer and put into a request."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One leaf of a request or an answer, and the way from its text to the value.

    `part` is "path", "query", "header", "cookie" or "body" of a request; "header", "set-cookie" or "body" of an answer.
    `path` says which leaf:

    - path: the segment's number, "0" for the first behind the leading slash;
    - query: the parameter's name and which of that name, "cursor#0"; a form's field in a body likewise;
    - header: the name in lower case and which of that name, "if-match#0"; the name alone means the first;
    - cookie, set-cookie: the cookie's name;
    - body: a JSON path "$.items[0].id" (`json_path.py`), a form's field "form:csrf#0", a multipart field
      "multipart:note#0", a place in markup "markup:…" (`markup.py`), or "text" for the whole body.

    Leaves are taken out of the coding that their part has always: percent-encoding of paths, queries and forms,
    escapes of JSON, entities of markup. `chain` are the further steps, outermost first, as `decodings.py` names them:
    "bearer", "base64url", "json:$.next", "jwt:claims:$.sub", "url:path:2", "split:-:2" …
    """

    part: str
    path: str
    chain: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " → ".join((f"{self.part} {self.path}", *self.chain))
