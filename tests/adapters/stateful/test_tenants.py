import hashlib
import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.adapters.stateful.tenants import Tenant, Tenants
from diglot.translator import RequestError

pytestmark = pytest.mark.anyio
SECRET = b"secret of the store"
Header = tuple[bytes, bytes]
AUTHORIZATION = (b"authorization", b"Bearer sk-mine")


def scope(*headers: Header) -> dict[str, Any]:
    return {"type": "http", "headers": list(headers)}


def at_once(tenants: Tenants, *headers: Header) -> Tenant:
    """The tenant, where nothing has to be waited for."""
    finding = tenants.of(scope(*headers))
    try:
        finding.send(None)
    except StopIteration as found:
        return found.value
    raise AssertionError("it waits")


def tenant(rule: Any, *headers: Header, secret: bytes = SECRET) -> Tenant:
    return at_once(Tenants(rule, secret), *headers)


def test_what_a_tenant_is() -> None:
    """A key of the length that stores take, and what is bound into seals."""
    found = tenant("credential", AUTHORIZATION)
    assert (len(found.key), len(found.seal)) == (32, 32)
    assert int(found.key, 16)
    assert found == tenant("credential", AUTHORIZATION)
    other = tenant("credential", AUTHORIZATION, secret=b"of another store")
    assert other.key != found.key
    assert other.seal == found.seal


def test_keys_that_the_server_checks() -> None:
    """Their name says whose a record is: it outlives the key, and is nobody's credential."""
    tenants = Tenants("credential", SECRET)

    def named(name: str, *headers: Header) -> Tenant:
        return tenants.at_once({**scope(*headers), "diglot.key": name})

    assert named("alice") == named("alice", AUTHORIZATION)
    others = [named("bob"), tenant("credential", (b"authorization", b"alice")), tenant("credential")]
    assert len({named("alice"), *others}) == 4


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ([(b"Authorization", b"Bearer sk-mine")], True),
        ([AUTHORIZATION, (b"api-key", b"x")], True),
        ([(b"x-api-key", b"x"), (b"user-agent", b"y"), AUTHORIZATION], True),
        ([(b"authorization", b"Bearer sk-yours")], False),
        ([AUTHORIZATION, AUTHORIZATION], False),
        ([AUTHORIZATION, (b"authorization", b"Bearer sk-yours")], False),
        ([(b"authorization", b"")], False),
        ([(b"api-key", b"Bearer sk-mine")], False),
        ([], False),
    ],
)
def test_credentials(headers: list[Header], same: bool) -> None:
    """The first header that has one counts, with all of its values."""
    assert (tenant("credential", *headers) == tenant("credential", AUTHORIZATION)) is same


def test_which_header_has_the_credential() -> None:
    """`authorization`, then `api-key`, then `x-api-key`; without any, all requests are one tenant's."""
    given = [(b"x-api-key", b"1"), (b"api-key", b"2"), (b"authorization", b"3")]
    found = [tenant("credential", *given[:count]) for count in range(4)]
    assert len({one.key for one in found}) == len({one.seal for one in found}) == 4
    assert tenant("credential", (b"authorization", b""), given[1]) == found[2] == tenant("credential", given[1])
    assert tenant("credential", (b"cookie", b"x"), (b"authorization", b"")) == found[0]


lists = st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=3)


@given(lists, lists)
def test_no_two_credentials_are_one_tenant(one: list[bytes], two: list[bytes]) -> None:
    """However they are split over repeated headers."""
    found = [tenant("credential", *((b"authorization", value) for value in values)) for values in (one, two)]
    assert (found[0].key == found[1].key) is (found[0].seal == found[1].seal) is (one == two)


def test_the_header_of_a_gateway() -> None:
    """Its name is read in any case, and its value counts alone."""
    mine = (b"x-user", b"mine")
    found = tenant("header:X-User", mine, AUTHORIZATION)
    assert found == tenant("header:x-user", mine)
    assert found != tenant("header:x-user", (b"x-user", b"yours"), AUTHORIZATION)
    assert found != tenant("header:x-group", (b"x-group", b"mine"))


@pytest.mark.parametrize("values", [[], [b""], [b"a", b"b"], [b"a", b"a"]])
async def test_a_gateway_that_does_not_say_it_once(values: list[bytes]) -> None:
    """Nobody is taken for somebody else: the client may have added one of its own."""
    with pytest.raises(RequestError) as refused:
        await Tenants("header:x-user", SECRET).of(scope(*((b"x-user", value) for value in values)))
    assert (refused.value.status, refused.value.code) == (401, "invalid_api_key")
    assert "x-user" in refused.value.message


@pytest.mark.parametrize(
    ("rule", "may_refuse"), [("credential", False), ("none", False), ("header:x", True), (lambda scope: "x", True)]
)
async def test_rules_that_refuse_nobody(rule: Any, may_refuse: bool) -> None:
    """They need nothing that has to be waited for."""
    tenants = Tenants(rule, SECRET)
    assert tenants.may_refuse == may_refuse
    if not may_refuse:
        assert tenants.at_once(scope(AUTHORIZATION)) == await tenants.of(scope(AUTHORIZATION))


def test_one_tenant_for_all() -> None:
    """`none` looks at nothing."""
    assert tenant("none") == tenant("none", AUTHORIZATION)


def test_equal_texts_of_different_rules_are_different_tenants() -> None:
    """Who may choose a name under one rule is nobody under another."""
    named = (b"x", b"name")
    credential, no_credential = tenant("credential", (b"api-key", b"name")), tenant("credential", named)
    rules = [credential, no_credential, tenant("header:x", named), tenant("none", named), tenant(lambda scope: "name")]
    assert len({one.key for one in rules}) == len({one.seal for one in rules}) == len(rules)


async def later(scope: Any) -> Any:
    """Names who is in the scope, when it has waited."""
    return scope.get("user")


@pytest.mark.parametrize("callback", [lambda scope: scope.get("user"), later])
async def test_callbacks(callback: Callable[[Any], Any]) -> None:
    """Any text names a tenant, at once or later."""
    tenants = Tenants(callback, SECRET)
    found = [await tenants.of({"headers": [], "user": name}) for name in ("a", "a", "é", "\ud800")]
    assert found[0] == found[1]
    assert len({one.key for one in found}) == 3


@pytest.mark.parametrize("callback", [lambda scope: scope.get("user"), later])
@pytest.mark.parametrize("named", ["", None, b"bytes", 5])
async def test_callbacks_that_name_nobody(callback: Callable[[Any], Any], named: Any) -> None:
    """What is no text is nobody, not a tenant of that name."""
    with pytest.raises(RequestError) as refused:
        await Tenants(callback, SECRET).of({"headers": [], "user": named})
    assert refused.value.status == 401


async def test_a_callback_may_refuse() -> None:
    """Its own error is the answer."""
    own = RequestError("Who are you?", status=401)

    def refuse(scope: Any) -> str:
        raise own

    with pytest.raises(RequestError) as refused:
        await Tenants(refuse, SECRET).of(scope())
    assert refused.value is own


@pytest.mark.parametrize("rule", ["", "everybody", "header:", "header:a b", "header", "x-user", None, 5])
def test_rules_that_are_none(rule: Any) -> None:
    """The error says what there is, and repeats nothing: it may be a key in the wrong place."""
    with pytest.raises(ValueError, match="'credential', 'none', 'header:NAME' or a function") as refused:
        Tenants(rule, SECRET)
    assert not rule or repr(rule) not in str(refused.value).replace("'header:NAME'", "")


async def test_the_credential_is_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """Neither by objects, nor by errors, nor in the log, nor as a hash that anybody could try keys with."""
    caplog.set_level(logging.DEBUG)
    value = b"Bearer sk-mine"
    tenants = Tenants("credential", SECRET)
    shown = [repr(tenants), repr(await tenants.of(scope((b"authorization", value))))]
    with pytest.raises(RequestError) as refused:
        await Tenants("header:authorization", SECRET).of(scope(*[(b"authorization", value)] * 2))
    shown += [caplog.text, "".join(traceback.format_exception(refused.value)), str(refused.value.body())]
    found = tenant("credential", AUTHORIZATION)
    for hidden in ("sk-mine", SECRET.decode(), found.seal.hex(), repr(found.seal), hashlib.sha256(value).hexdigest()):
        assert not any(hidden in text for text in shown)
