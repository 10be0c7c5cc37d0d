from diglot.translator.stream.to_chat.item_parts import ReceivedItem
from diglot.translator.stream.to_chat.sealed_reasoning import SealedReasoning


def test_details_come_in_the_order_of_the_items() -> None:
    """When all items before theirs are done; each once, with its place."""
    sealed = SealedReasoning()
    first, bare, last = (ReceivedItem("reasoning") for _ in range(3))
    for item in (first, bare, last):
        sealed.add(item)
    sealed.seal(last, {"data": "last"})
    last.finish()
    assert sealed.take() == []
    sealed.seal(first, {"data": "first"})
    first.finish()
    bare.finish()
    assert sealed.take() == [{"data": "first", "index": 0}, {"data": "last", "index": 1}]
    assert sealed.take() == []
