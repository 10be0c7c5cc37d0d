"""What came before a response, out of a store."""

from typing import Any

import pytest
from stored_world import ME, assistant, keep_conversation, keep_response, key, user

from diglot.adapters.stateful.past import history_of, said_before, said_in, size_of
from diglot.adapters.store import ConversationGone, HistoryTooLarge, Store
from diglot.translator import RequestError, state

pytestmark = pytest.mark.anyio

MOST = 1 << 20
SUMMARY = {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}


async def loaded(store: Store, number: int) -> list[dict[str, Any]]:
    chain = await store.chain(ME, key(number), MOST)
    said = await said_before(store, ME, chain[0], MOST)
    assert size_of(chain, said) == sum(state.records.size(each.body or b"") for each in [*chain, *said])
    return history_of(chain, said)


def texts(items: list[dict[str, Any]]) -> list[str]:
    return [item["content"][0]["text"] if "content" in item else item["type"] for item in items]


async def test_a_chain(store: Store) -> None:
    """Input and output, in order."""
    await keep_response(store, 1)
    await keep_response(store, 2, 1)
    assert texts(await loaded(store, 2)) == ["Question 1", "Answer 1", "Question 2", "Answer 2"]


async def test_a_chain_that_began_in_a_conversation(store: Store) -> None:
    """What the conversation held then comes first, and not what it got later."""
    await keep_conversation(store, 9, user("Before", f"msg_{key(9)}0000"))
    await keep_response(store, 1, conversation=9)
    await keep_response(store, 2, 1)
    await keep_response(store, 3, conversation=9)
    assert texts(await loaded(store, 2)) == ["Before", "Question 1", "Answer 1", "Question 2", "Answer 2"]
    await store.delete_conversation(ME, key(9))
    with pytest.raises(ConversationGone):
        await loaded(store, 2)


async def test_a_compaction_replaces_what_was_said_before(store: Store) -> None:
    """Also when the conversation held more."""
    await keep_conversation(store, 9, user("Before", f"msg_{key(9)}0000"))
    await keep_response(store, 1, conversation=9, output=[SUMMARY, assistant("Answer", f"msg_{key(1)}0002")])
    assert texts(await loaded(store, 1)) == ["compaction", "Answer"]


async def test_a_chain_that_has_not_ended(store: Store) -> None:
    """It cannot be continued yet."""
    await keep_response(store, 1, status="in_progress")
    with pytest.raises(RequestError):
        await loaded(store, 1)


async def test_a_conversation_counts_as_it_is_when_it_is_unpacked(store: Store) -> None:
    """What repeats itself becomes very short in a store."""
    items = [user("a" * 100_000, f"msg_{key(9)}{number:04}") for number in range(3)]
    await keep_conversation(store, 9, *items)
    assert sum(len(item.body) for item in await said_in(store, ME, key(9), 400_000)) < 10_000
    with pytest.raises(HistoryTooLarge) as caught:
        await said_in(store, ME, key(9), 300_000)
    assert 300_000 < caught.value.size < 301_000
