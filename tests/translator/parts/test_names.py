import pytest

from diglot.translator.parts import names


@pytest.mark.parametrize(
    ("name", "namespace", "flat"),
    [
        ("f", None, "f"),
        ("", None, ""),
        ("f", "", "f"),
        ("f", "f", "f"),
        ("f", "ns", "ns__f"),
        ("f" * 64, None, "f" * 64),
        ("f" * 60, "ns", "ns__" + "f" * 60),
    ],
)
def test_flat_names(name: str, namespace: str | None, flat: str) -> None:
    """A short name with its namespace in front; a namespace of the same name is none (protocol 3.4)."""
    assert names.flatten(name, namespace) == flat


@pytest.mark.parametrize(
    ("name", "namespace"),
    [("f" * 61, "ns"), ("a.b", "ns"), ("a", "n s"), ("é", "\ud83d"), ("f" * 65, None), ("a@b", None), ("a\n", None)],
)
def test_names_that_do_not_fit_are_hashed(name: str, namespace: str | None) -> None:
    """At most 64 plain characters, and different names stay different."""
    flat = names.flatten(name, namespace)
    assert len(flat) <= names.NAME_LIMIT
    assert flat.replace("_", "a").replace("-", "a").isalnum()
    assert flat.isascii()
    assert flat == names.flatten(name, namespace)
    assert flat not in (names.flatten(name + "x", namespace), names.flatten(name, f"{namespace}."))


def test_the_client_gets_its_own_name_back() -> None:
    """Each name has one other, the same one whenever it is asked for."""
    known = names.ToolNames()
    flat = known.flat("a.b")
    assert known.flat("a.b") == flat
    assert (known.own(flat), known.caller_name(flat)) == ((None, "a.b"), "a.b")
    assert (known.own("x"), known.caller_name("x")) == (None, "x")
    assert known.own(known.flat("f", "ns")) == ("ns", "f")
    assert known.flat("f", "f") == known.flat("f") == "f"


def test_two_tools_never_have_one_name() -> None:
    """Whoever comes second gets another word, also when somebody has a name that looks like ours."""
    known = names.ToolNames()
    wanted = [("a.b", None), (names.flatten("a.b", None), None), ("c", "a__b"), ("b__c", "a"), ("a__b__c", None)]
    flat = [known.flat(*each) for each in wanted]
    assert len(set(flat)) == len(wanted)
    assert [known.own(name) for name in flat] == [(namespace, name) for name, namespace in wanted]


def test_names_that_differ_in_half_a_character_only_are_different() -> None:
    """A lone surrogate is no character, but JSON can say it."""
    assert names.flatten("\ud83d", None) != names.flatten("\ud83e", None)


def test_short_ids() -> None:
    """Nine letters and digits stay what they are; everything else becomes as much, the same every time."""
    ids = names.CallIds()
    assert ids.short("aBcD12345") == "aBcD12345"
    short = ids.short("call_1")
    assert (len(short), short.isalnum(), ids.short("call_1")) == (9, True, short)
    assert len({ids.short(f"call_{i}") for i in range(100)}) == 100
    assert names.CallIds().short("call_1") == short


def test_an_id_that_is_taken_becomes_another_one() -> None:
    """Somebody may have sent what would be made of an earlier id."""
    ids = names.CallIds()
    short = ids.short("call_1")
    other = ids.short(short)
    assert other != short
    assert (len(other), other.isalnum()) == (9, True)
