"""The translator says what is public."""

from diglot import translator


def test_public_names() -> None:
    """The public names are sorted, and all are there."""
    assert sorted(translator.__all__, key=lambda n: (not n.isupper(), n)) == translator.__all__
    assert all(hasattr(translator, name) for name in translator.__all__)
