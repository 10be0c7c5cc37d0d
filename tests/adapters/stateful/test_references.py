"""Items that are found by their ids alone."""

import pytest
from stored_world import ME, OTHER, assistant, keep_conversation, keep_response, key, user

from diglot.adapters.stateful.references import referenced_items
from diglot.adapters.store import HistoryTooLarge, NewRecord, Store
from diglot.translator import state

pytestmark = pytest.mark.anyio

MOST = 1 << 20
ASKED, SAID = f"msg_{key(1)}0000", f"msg_{key(1)}0001"


async def test_items_of_responses_and_conversations(store: Store) -> None:
    """In the order in which they are named; what is not there is left out."""
    await keep_response(store, 1)
    inside = f"msg_{key(2)}0000"
    await keep_conversation(store, 2, user("Inside", inside))
    found = await referenced_items(store, ME, [inside, f"msg_{key(9)}0000", SAID, ASKED, f"msg_{key(1)}0009"], MOST)
    assert list(found) == [inside, SAID, ASKED]
    assert found[ASKED] == user("Question 1", ASKED)
    assert found[SAID] == assistant("Answer 1", SAID)
    assert found[inside] == user("Inside", inside)


async def test_those_of_others(store: Store) -> None:
    """They are not there."""
    await keep_response(store, 1)
    assert await referenced_items(store, OTHER, [ASKED], MOST) == {}


async def test_ids_that_name_no_place(store: Store) -> None:
    """Nothing is looked for; items without an id are nobody's."""
    assert await referenced_items(store, ME, ["msg_1", "x"], MOST) == {}
    await keep_response(store, 1, output=[{"type": "reasoning", "summary": []}])
    assert list(await referenced_items(store, ME, ["x", ASKED], MOST)) == [ASKED]


async def test_one_of_a_damaged_record(store: Store) -> None:
    """It is there, but cannot be read."""
    await store.put(ME, NewRecord(key(1), 1, b"?", 1, b"?", "0" * 32))
    with pytest.raises(state.records.DamagedRecord):
        await referenced_items(store, ME, [ASKED], MOST)


async def test_what_they_are_in_may_be_too_large(store: Store) -> None:
    """It counts as it is when it is unpacked, of a response as of a conversation."""
    await keep_response(store, 1, own=[user("a" * 9_000, ASKED)])
    inside = f"msg_{key(2)}0000"
    await keep_conversation(store, 2, user("b" * 9_000, inside))
    for ids, size in (([ASKED], 9_000), ([ASKED, inside], 18_000)):
        assert list(await referenced_items(store, ME, ids, size + 1_000)) == ids
        with pytest.raises(HistoryTooLarge) as caught:
            await referenced_items(store, ME, ids, size)
        assert size < caught.value.size < size + 1_000


async def test_many_are_read_in_portions(store: Store) -> None:
    """Each once."""
    for number in range(1, 121):
        await keep_response(store, number)
    ids = [f"msg_{key(number)}0001" for number in range(1, 121)]
    assert list(await referenced_items(store, ME, ids, MOST)) == ids
