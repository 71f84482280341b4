"""seamline.toml → Config."""

from pathlib import Path

import pytest

from seamline.capture.errors import UsageError
from seamline.cli.config import Config, load_config, parse_config
from seamline.diffing.report.model import Severity
from seamline.replay.environments.spec import Listen, Ready

FULL = """
[service]
name    = "orders"
command = "python -m orders"
cwd     = "app"
env     = { LOG_LEVEL = "warning" }
listen  = { env = "PORT" }
ready   = { http = "/healthz", timeout = "5s" }

[[downstream]]
name     = "pricing"
protocol = "http"
address  = "127.0.0.1:7002"
env      = { PRICING_URL = "http://{tap}" }
mode     = "real"

[[downstream]]
name     = "stock"
address  = { env = "STOCK_PORT" }
env      = { STOCK_URL = "http://{tap}" }

[record]
listen = "127.0.0.1:8080"
output = "captures/orders.seam"
trace_headers = ["x-flow-id"]

[sanitize]
rules = "sanitize.toml"

[verify]
capture = ["captures/orders.seam"]
budget  = "90s"
repeats = 4

[baseline]
git = "main"
[candidate]
env = { FLAG = "on" }

[gate]
fail_on = "breaking"
"""
SMALL = '[service]\ncommand = "run"\nlisten = { env = "PORT" }\n'


def parsed(text: str) -> Config:
    return parse_config(text, Path("/srv/shop/seamline.toml"))


def refused(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parsed(text)
    return str(caught.value)


def test_every_key_arrives_where_it_belongs() -> None:
    config = parsed(FULL)
    assert config.folder == Path("/srv/shop")
    service = config.service
    assert (service.name, service.command, service.cwd) == ("orders", "python -m orders", Path("/srv/shop/app"))
    assert (service.env, service.listen) == ({"LOG_LEVEL": "warning"}, Listen(env="PORT"))
    assert service.ready == Ready(http="/healthz", timeout_s=5)
    pricing, stock = config.downstreams
    assert (pricing.name, pricing.address, pricing.address_env) == ("pricing", ("127.0.0.1", 7002), None)
    assert (stock.protocol, stock.address, stock.address_env) == ("http", None, "STOCK_PORT")
    assert (config.record.listen, config.record.output) == (
        ("127.0.0.1", 8080),
        Path("/srv/shop/captures/orders.seam"),
    )
    assert config.record.trace_headers == ("x-flow-id",)
    assert config.rules == Path("/srv/shop/sanitize.toml")
    assert config.verify.capture == (Path("/srv/shop/captures/orders.seam"),)
    assert (config.verify.budget_s, config.verify.repeats) == (90, 4)
    assert config.fail_on is Severity.BREAKING


def test_isolation_arrives_as_it_is_written() -> None:
    [db, cache, bus, plain] = parsed(
        SMALL
        + """
[[downstream]]
name = "db"
protocol = "postgres"
address = "127.0.0.1:5432"
env = { DATABASE_URL = "postgresql://app:app@{tap}/{database}" }
isolate = { template = "orders_template", migrate = "python manage.py migrate", admin = "$PG_ADMIN" }
[[downstream]]
name = "cache"
protocol = "redis"
address = "127.0.0.1:6379"
env = { REDIS_URL = "redis://{tap}/{database}" }
isolate = { database = "auto" }
[[downstream]]
name = "bus"
protocol = "nats"
address = "127.0.0.1:4222"
env = { NATS_URL = "nats://{tap}", PREFIX = "{prefix}" }
isolate = { prefix = "auto", reset = "make seed" }
[[downstream]]
name = "plain"
address = { env = "PLAIN_PORT" }
env = { PLAIN_URL = "http://{tap}" }
isolate = { reset = "make seed" }
"""
    ).downstreams
    assert db.isolate == {
        "template": "orders_template",
        "migrate": "python manage.py migrate",
        "admin": "$PG_ADMIN",
    }
    assert (cache.isolate, bus.isolate) == ({"database": "auto"}, {"prefix": "auto", "reset": "make seed"})
    assert plain.isolate == {"reset": "make seed"}


def test_headers_of_a_shared_cluster() -> None:
    config = parsed(SMALL + '[replay]\nheaders = { baggage = "sd-routing-key={side}", "x-route" = "{run}" }\n')
    assert config.replay_headers == {"baggage": "sd-routing-key={side}", "x-route": "{run}"}
    assert parsed(SMALL).replay_headers == {}


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ('{ "a b" = "x" }', '"a b" is no header to add'),
        ('{ Host = "x" }', '"Host" is no header to add'),
        ('{ a = "x\\ny" }', "expected printable text"),
        ("{ a = 3 }", "[replay] headers.a: 3"),
        ('"a"', "expected a table of text"),
    ],
)
def test_a_header_that_cannot_be_added_is_refused(headers: str, said: str) -> None:
    assert said in refused(f"{SMALL}[replay]\nheaders = {headers}\n")


def test_egress_is_refused_unless_it_is_opened() -> None:
    assert parsed(SMALL).service.egress == "refused"
    assert parsed(SMALL + 'egress = "open"\n').service.egress == "open"
    assert parsed(SMALL + 'egress = "sealed"\n').service.egress == "sealed"


def test_spans_are_asked_for_in_so_many_words() -> None:
    assert not parsed(SMALL).service.otlp
    assert parsed(SMALL.replace("[service]\n", "[service]\notlp = true\n", 1)).service.otlp


def test_a_side_is_the_service_with_its_overlay() -> None:
    config = parsed(FULL)
    assert config.side("baseline").git == "main"
    candidate = config.side("candidate")
    assert candidate.git is None
    assert candidate.env == {"LOG_LEVEL": "warning", "FLAG": "on"}


def test_an_overlays_url_takes_the_place_of_the_command() -> None:
    config = parsed(SMALL + '[baseline]\nurl = "http://127.0.0.1:9000"\n')
    assert (config.side("baseline").command, config.side("baseline").url) == (None, "http://127.0.0.1:9000")
    assert config.side("candidate").command == "run"


def test_what_is_left_out_has_its_default() -> None:
    config = parsed(SMALL)
    assert config.service.name == "shop"
    assert config.service.ready == Ready()
    assert (config.verify.budget_s, config.verify.repeats, config.fail_on) == (60, 3, Severity.WARNING)
    assert config.rules is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[servce]\n", 'unknown key "servce" (did you mean "service"?)'),
        ('[service]\ncomand = "x"\n', 'did you mean "command"'),
        ('[service]\nready = { htpp = "/" }\n', '[service] ready htpp: unknown key "htpp" (did you mean "http"?)'),
        ('[service]\nready = { http = "healthz" }\n', 'expected a path such as "/healthz"'),
        ('[service]\nready = { http = "/a b" }\n', 'expected a path such as "/healthz"'),
        ('[service]\nready = { http = "/", tcp = 1 }\n', "http and tcp exclude each other"),
        ('[service]\nlisten = { env = "PORT", port = 1 }\n', "listen"),
        ("[service]\nlisten = {}\n", "listen"),
        ('[service]\ncommand = "x"\nurl = "http://127.0.0.1:1"\n', "command and url exclude each other"),
        ('[service]\nurl = "https://x"\n', "is not one to replay at"),
        ('[service]\nurl = "http://x/base"\n', "has more than host and port"),
        ('[service]\nurl = "http://x:99999"\n', "[service] url"),
        ('[baseline]\ngit = "main"\nurl = "http://127.0.0.1:1"\n', "git and url exclude each other"),
        ('[record]\ntrace_headers = ["x flow"]\n', "[record] trace_headers: a list (expected names of headers"),
        ('[service]\notlp = "yes"\n', '[service] otlp: "yes" (expected true or false)'),
        ("[verify]\nrepeats = 1\n", "expected a whole number from 2 to 20"),
        ('[verify]\nbudget = "soon"\n', '[verify] budget: "soon" (expected a duration'),
        ('[gate]\nfail_on = "error"\n', "expected one of info, warning, breaking"),
        ('[[downstream]]\naddress = "127.0.0.1:1"\n', "[[downstream]] 1: name is missing"),
        ('[[downstream]]\nname = "a"\n', "[[downstream]] a address: missing"),
        ('[[downstream]]\nname = "a"\naddress = {}\n', 'expected "HOST:PORT" or { env = "NAME_PORT" }'),
        ('[[downstream]]\nname = "a"\naddress = "h:1"\nprotocol = "htpp"\n', 'did you mean "http"'),
        ('[[downstream]]\nname = "a"\naddress = "h:1"\nprotocol = "nats"\nmode = "stub"\n', "no stub for nats"),
        (
            '[[downstream]]\nname = "a"\naddress = "h:1"\nisolate = { database = "auto" }\n',
            'isolate: database is not for protocol "http"',
        ),
        ('[[downstream]]\nname = "a"\naddress = "h:1"\nisolate = { databse = "auto" }\n', 'did you mean "database"'),
        ('[service]\negress = "closed"\n', "expected one of refused, sealed, open"),
        ('[[downstream]]\nname = "a"\naddress = "h:1"\nisolate = { database = "x" }\n', "expected one of auto"),
        ('[[downstream]]\nname = "a"\naddress = "h:1"\nisolate = {}\n', "one of template, database, prefix"),
        ('[[downstream]]\nname = "a"\naddress = "h:1"\nenv = { U = "{tap}/{database}" }\n', "{database} needs isolate"),
        ('[[downstream]]\nname = "a"\naddress = "h:1"\nenv = { U = "x" }\n', "env names no {tap}"),
        ('[[downstream]]\nname = "a"\naddress = "h:1"\n[[downstream]]\nname = "a"\naddress = "h:2"\n', 'called "a"'),
        ("[service\n", "not valid TOML"),
        ("a = " + "[" * 5000, "not valid TOML"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(text: str, said: str) -> None:
    message = refused(text)
    assert message.startswith("/srv/shop/seamline.toml:")
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "neither command nor url"),
        ('[service]\ncommand = "x"\n', "listen is missing"),
        ('[service]\nurl = "http://127.0.0.1:1"\n[baseline]\ngit = "main"\n', "git and url exclude each other"),
    ],
)
def test_a_side_that_cannot_be_started_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parsed(text).side("baseline")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: no such file"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="directory"):
        load_config(tmp_path)


def test_a_file_is_read_as_utf8_and_bounded(tmp_path: Path) -> None:
    file = tmp_path / "seamline.toml"
    file.write_text(SMALL, encoding="utf-8")
    assert load_config(file).service.command == "run"
    file.write_bytes(b'[service]\nname = "\xff"\n')
    with pytest.raises(UsageError, match="not UTF-8"):
        load_config(file)
    file.write_bytes(b"#" * (1 << 21))
    with pytest.raises(UsageError, match="larger than"):
        load_config(file)


@pytest.mark.parametrize(
    ("lines", "mode", "latency"),
    [
        ("", "real", "none"),
        ('mode = "stub"\n', "stub", "none"),
        ('mode = "stub-or-real"\nlatency = "recorded"\n', "stub-or-real", "recorded"),
    ],
)
def test_a_downstream_may_be_answered_from_the_capture(lines: str, mode: str, latency: str) -> None:
    config = parse_config(f'[[downstream]]\nname = "a"\naddress = "h:1"\n{lines}', Path("seamline.toml"))
    [downstream] = config.downstreams
    assert (downstream.mode, downstream.latency) == (mode, latency)


@pytest.mark.parametrize(("line", "meant"), [('mode = "stubb"', "stub"), ('latency = "recordet"', "recorded")])
def test_a_word_of_a_stub_that_is_not_known_names_the_nearest(line: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f'did you mean "{meant}"'):
        parse_config(f'[[downstream]]\nname = "a"\naddress = "h:1"\n{line}\n', Path("seamline.toml"))
