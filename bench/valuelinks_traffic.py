"""The published applications of `bench.valuelinks`: how they are started, and clients that use what they are given."""

import html
import re
from typing import Any
from urllib.parse import quote

import httpx

KINTO = """
import sys
from kinto import main
from waitress import serve
port, turn, _ = sys.argv[1:]
settings = {f"kinto.{each}_backend": f"kinto.core.{each}.memory" for each in ("storage", "permission", "cache")}
settings |= {"kinto.userid_hmac_secret": f"a secret {turn}", "kinto.paginate_by": "10", "multiauth.policies": "basicauth",
    "kinto.bucket_create_principals": "system.Authenticated"}
serve(main({}, None, **settings),
    host="127.0.0.1", port=int(port), threads=1)
"""

DJANGO = """
import pathlib, secrets, sys, types
from django.conf import settings
port, turn, data = sys.argv[1:]
pathlib.Path(data).unlink(missing_ok=True)
own = types.ModuleType("own")
sys.modules["own"] = own
contrib = "admin auth contenttypes sessions messages".split()
middleware = ("contrib.sessions.middleware.SessionMiddleware middleware.csrf.CsrfViewMiddleware "
    "contrib.auth.middleware.AuthenticationMiddleware contrib.messages.middleware.MessageMiddleware").split()
settings.configure(SECRET_KEY=secrets.token_hex(), ALLOWED_HOSTS=["*"], ROOT_URLCONF="own", STATIC_URL="/static/",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": data}},
    INSTALLED_APPS=[f"django.contrib.{each}" for each in contrib], MIDDLEWARE=[f"django.{each}" for each in middleware],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {
        "context_processors": ["django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages"]}}])
import django
django.setup()
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path
from waitress import serve
own.urlpatterns = [path("admin/", admin.site.urls)]
call_command("migrate", verbosity=0)
User.objects.create_superuser("root", "root@example.com", "pw")
for each in range(7 * int(turn)):
    Group.objects.create(name=f"g{each}").delete()
    User.objects.create_user(f"u{each}").delete()
serve(get_wsgi_application(), host="127.0.0.1", port=int(port), threads=1)
"""


def kinto(client: httpx.Client) -> None:
    """Buckets, collections and notes that the server names; tags, pages, times, a batch."""
    client.auth = httpx.BasicAuth("ada", "not-a-secret")
    bucket = _data(client.post("/v1/buckets", json={"data": {"kind": "notebook"}}))["id"]
    notes = f"/v1/buckets/{bucket}/collections/"
    notes += f"{_data(client.post(notes.rstrip('/'), json={}))['id']}/records"
    made = []
    for number in range(20):
        answer = client.post(notes, json={"data": {"title": f"Note {number}", "stars": number % 7}})
        note, tag = f"{notes}/{_data(answer)['id']}", answer.headers["etag"]
        made.append(_data(answer))
        client.get(note, headers={"If-None-Match": client.get(note).headers["etag"]})
        if number % 3 == 0:
            changed = client.patch(note, json={"data": {"stars": 9}}, headers={"If-Match": tag})
            client.get(f"{notes}?_since={_data(changed)['last_modified']}")
        if number % 4 == 0:
            client.put(note, json={"data": {"title": "x", "parent": made[0]["id"]}})
    following: str | None = f"{notes}?_limit=4&_sort=title"
    while following:
        answer = client.get(following)
        page = answer.headers.get("next-page")
        following = page[page.index("/v1/") :] if page else None
    for note in _data(client.get(f"{notes}?_limit=3")):
        client.get(f"{notes}/{note['id']}")
        client.delete(f"{notes}/{note['id']}")
    group = {"method": "PUT", "path": f"/buckets/{bucket}/groups/readers", "body": {"data": {"members": ["x"]}}}
    client.post("/v1/batch", json={"requests": [{"method": "GET", "path": f"{notes}/{made[3]['id']}"}, group]})


def _data(answer: httpx.Response) -> Any:
    answer.raise_for_status()
    return answer.json()["data"]


def django(client: httpx.Client) -> None:
    """The admin site: cookies, hidden tokens, redirects to what was made, boxes that are ticked."""
    page = client.get("/admin/login/?next=/admin/")
    _post(client, page, "/admin/login/?next=/admin/", username="root", password="pw", next="/admin/")
    made = []
    for number in range(12):
        page = client.get("/admin/auth/group/add/")
        group = _post(client, page, "/admin/auth/group/add/", name=f"team {number}", _continue="Save").headers[
            "location"
        ]
        made.append(group.split("/")[4])
        _post(client, client.get(group), group, name=f"team {number} b", permissions=str(5 + number), _save="Save")
        if number % 3 == 0:
            client.get(f"/admin/auth/group/{made[-1]}/history/")
    listed = client.get("/admin/auth/group/")
    for link in re.findall(r'href="(/admin/auth/group/\d+/change/[^"]*)"', listed.text)[:4]:
        client.get(html.unescape(link))
    chosen = {"action": "delete_selected", "_selected_action": [made[2], made[5]]}
    sure = _post(client, listed, "/admin/auth/group/", status=200, **chosen)
    _post(client, sure, "/admin/auth/group/", post="yes", **chosen)
    for number in range(6):
        page = client.get("/admin/auth/user/add/")
        fields = {"username": f"user{number}", "usable_password": "false", "_save": "Save"}
        user = _post(client, page, "/admin/auth/user/add/", **fields).headers["location"]
        client.get(user)
        gone = user.replace("/change/", "/delete/")
        _post(client, client.get(gone), gone, post="yes")
    _post(client, client.get("/admin/"), "/admin/logout/", status=200)


def _post(client: httpx.Client, page: httpx.Response, path: str, status: int = 302, **fields: Any) -> httpx.Response:
    """Send a form back with the token that `page` holds."""
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    answer = client.post(path, data={"csrfmiddlewaretoken": html.unescape(token[1]), **fields})
    assert answer.status_code == status, answer.text[:300]
    return answer


def moto(client: httpx.Client) -> None:
    """AWS as an emulator: uploads in parts, versions, pages, keys and policies, in XML and forms."""
    s3, iam = _signed("s3"), _signed("iam")
    client.put("/box", headers=s3)
    for number in range(4):
        file = f"/box/file{number}"
        upload = f"uploadId={quote(_tag(client.post(f'{file}?uploads', headers=s3), 'UploadId'))}"
        parts = ""
        for part in (1, 2):
            data = f"{number}".encode() * (5 << 20 if part == 1 else 200)
            put = client.put(f"{file}?{upload}&partNumber={part}", headers=s3, content=data)
            parts += f"<Part><ETag>{html.escape(put.headers['etag'])}</ETag><PartNumber>{part}</PartNumber></Part>"
        client.get(f"{file}?{upload}", headers=s3)
        whole = f'<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{parts}</CompleteMultipartUpload>'
        client.post(f"{file}?{upload}", headers={**s3, "Content-Type": "application/xml"}, content=whole)
        tag = client.head(file, headers=s3).headers["etag"]
        client.get(file, headers={**s3, "If-None-Match": tag})
    enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    client.put("/box?versioning", headers=s3, content=enabled)
    for number in range(3):
        version = client.put("/box/v", headers=s3, content=f"body {number}").headers["x-amz-version-id"]
        client.get(f"/box/v?versionId={version}", headers=s3)
    for version in re.findall("<VersionId>(.*?)</", client.get("/box?versions", headers=s3).text)[:3]:
        client.delete(f"/box/v?versionId={version}", headers=s3)
    page = client.get("/box?list-type=2&max-keys=2", headers=s3)
    client.get(
        f"/box?list-type=2&max-keys=2&continuation-token={quote(_tag(page, 'NextContinuationToken'))}", headers=s3
    )
    rule = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}'
    for number in range(3):
        user = {"Version": "2010-05-08", "UserName": f"u{number}"}
        client.post("/", data={**user, "Action": "CreateUser"}, headers=iam)
        key = _tag(client.post("/", data={**user, "Action": "CreateAccessKey"}, headers=iam), "AccessKeyId")
        client.post(
            "/", data={**user, "Action": "UpdateAccessKey", "AccessKeyId": key, "Status": "Inactive"}, headers=iam
        )
        client.post("/", data={**user, "Action": "DeleteAccessKey", "AccessKeyId": key}, headers=iam)
        policy = {"Action": "CreatePolicy", "PolicyName": f"p{number}", "PolicyDocument": rule}
        arn = _tag(client.post("/", data={**user, **policy}, headers=iam), "Arn")
        client.post("/", data={**user, "Action": "AttachUserPolicy", "PolicyArn": arn}, headers=iam)


def _signed(service: str) -> dict[str, str]:
    """What tells the emulator which service is meant; it checks no signature."""
    scope = f"AKIDEXAMPLE/20261124/us-east-1/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0000"}


def _tag(answer: httpx.Response, name: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", answer.text)
    assert found is not None, answer.text[:300]
    return html.unescape(found[1])
