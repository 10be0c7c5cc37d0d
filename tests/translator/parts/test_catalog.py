from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.parts import tools

F, G = {"type": "function", "name": "f"}, {"type": "function", "name": "g"}


def test_a_tool_that_only_history_names_is_known_by_it() -> None:
    """A model may call what it called before: the client gets its own name back."""
    catalog = tools.read_catalog({"tools": [F]}, Context(Profile(), Report()))
    flat = catalog.flat("gone.tool", "ns")
    for known in (catalog, catalog.without_declarations()):
        assert known.by_flat(flat) is None
        tool = known.declared_or_known(flat)
        assert tool is not None
        assert (tool.name, tool.namespace, tool.kind) == (
            "gone.tool",
            "ns",
            "function",
        )
        assert known.declared_or_known("f") == known.by_flat("f")
        assert known.declared_or_known("never") is None


def test_the_catalog_knows_both_names() -> None:
    """By the upstream's name for answers, by the client's for history; undeclared names are made."""
    report = Report()
    space = {"type": "namespace", "name": "ns", "tools": [G]}
    catalog = tools.read_catalog({"tools": [F, space]}, Context(Profile(), report))
    f, g = catalog
    assert (catalog.by_flat("f"), catalog.by_flat("ns__g"), catalog.by_flat("x")) == (f, g, None)
    assert (catalog.by_name("f"), catalog.by_name("f", "f"), catalog.by_name("g", "ns")) == (f, f, g)
    assert (catalog.by_name("g"), catalog.by_name("g", "g"), catalog.by_name("f", "ns")) == (None, None, None)
    assert (catalog.flat("g", "ns"), catalog.flat("gone", "ns"), catalog.flat("gone")) == ("ns__g", "ns__gone", "gone")
