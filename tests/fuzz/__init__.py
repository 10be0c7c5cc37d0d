"""The fuzzer: damaged streams, answers, requests and connections, held against written invariants.

    make fuzz MINUTES=10              on all cores; what is found is printed as what a golden file or a test can hold
    make fuzz MINUTES=1 SEED=7        the same cases again
    make fuzz SEED=7 CASE=1234        one of them

    seeds.py         real-shaped beginnings: the golden files and what was recorded
    damage.py        what is done to them
    feeds.py         requests, answers, streams and errors: cases of the translator
    exchanges.py     what an ASGI server hands over, and what an application answers: cases of the middleware
    connections.py   bytes of clients: cases of the two bounded protocols
    invariants.py    what must hold, each a function with its name
    runner.py        runs cases, and makes what they find small

tests/test_fuzz.py runs a few of them with every `make test`.
"""
