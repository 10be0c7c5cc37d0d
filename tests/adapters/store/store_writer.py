"""A process that writes to a store and says what was kept, until it is killed: `python store_writer.py URL SEED`."""

import asyncio
import random
import sys
from typing import Any

from diglot.adapters.store import Addition, Conversation, ConversationLocked, NewItem, NewRecord, Store, open_store

TENANT = "t"


def say(*words: Any) -> None:
    print(*words, flush=True)


def record(key: str, parent: Any) -> NewRecord:
    return NewRecord(key, 1, key.encode() * 50, 10, b"settings" * 100, "hash", parent=parent)


async def write_chain(store: Store, chance: random.Random) -> None:
    """Responses one behind the other, each told when it is kept, with its parent."""
    parent = None
    for _ in range(1_000):
        key = f"{chance.getrandbits(128):032x}"
        say("try", key)
        await store.put(TENANT, record(key, parent))
        say("kept", key, parent.chain if parent else "-")
        (found,) = await store.read(TENANT, [key])
        parent = found.place if chance.random() < 0.9 else parent


async def write_conversation(store: Store, chance: random.Random, conversation: str, process: str) -> None:
    """Turns in a conversation that others write to as well."""
    for _ in range(1_000):
        try:
            fence = await store.lock(TENANT, conversation, process)
        except ConversationLocked:
            await asyncio.sleep(0.005)
            continue
        key = f"{chance.getrandbits(128):032x}"
        items = [NewItem(f"{key}-in", b"in"), NewItem(f"{key}-out", b"out")]
        await store.put(TENANT, record(key, None), Addition(conversation, fence, items))
        say("added", key)


async def main(url: str, seed: str) -> None:
    chance = random.Random(seed)
    store = open_store(url)
    await store.open()
    process = f"process-{seed}"
    await store.renew(process, 2)
    await store.create_conversation(TENANT, Conversation("c" * 32, 1, b""), [])
    say("ready")
    await asyncio.gather(
        write_chain(store, chance), write_chain(store, chance), write_conversation(store, chance, "c" * 32, process)
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
