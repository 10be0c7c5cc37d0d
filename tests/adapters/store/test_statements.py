"""The SQL of the stores."""

from __future__ import annotations

from diglot.adapters.store import housekeeping_statements, statements
from diglot.adapters.store.statements import Statement, Writes

OF_NO_TENANT = {
    *("SECRET", "END_LEASES", "EXPIRED", "EXPIRED_COMPLETIONS"),
    *("COUNT_RECORDS", "COUNT_CONVERSATIONS", "COUNT_ITEMS", "COUNT_COMPLETIONS", "COUNT_PROCESSES", "COUNT_RUNS"),
    *("renew", "secret"),
}
"""Leases and secrets are of processes, and so are runs; what the sweep finds, and other counts, name the tenant in what
they return."""


def test_all_statements_name_the_tenant() -> None:
    """So nothing of another one can be seen or changed."""
    found: dict[str, list[Statement]] = {}
    for name, made in (*vars(statements).items(), *vars(housekeeping_statements).items()):
        if isinstance(made, Statement):
            found[name] = [made]
    for dialect in ("postgresql", "sqlite"):
        for name, made in vars(Writes(dialect)).items():
            parts = made if isinstance(made, tuple) else ([made],) if isinstance(made, Statement) else ()
            found[f"{name}"] = [*found.get(name, []), *(each for part in parts for each in part)]
    checked = {name: parts for name, parts in found.items() if parts}
    assert len(checked) > 35
    assert {
        name for name, parts in checked.items() if any("v_tenant" not in each.names for each in parts)
    } == OF_NO_TENANT


def test_putting_is_one_statement_where_that_can_be() -> None:
    """PostgreSQL writes to several tables in one."""
    assert [len(parts) for parts in Writes("postgresql").begin_chain] == [1, 1]
    assert [len(parts) for parts in Writes("sqlite").begin_chain] == [2, 3]
