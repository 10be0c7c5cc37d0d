"""The SQL of sweeps and purges."""

import pytest
from sqlalchemy.dialects import postgresql

from diglot.adapters.store import housekeeping_statements as statements


@pytest.mark.parametrize("name", ["EXPIRED", "PURGED", "END"])
def test_nobody_waits_for_a_sweep(name: str) -> None:
    """What somebody else has locked is left for later, and only some are taken at once."""
    sql = str(getattr(statements, name).sql.compile(dialect=postgresql.dialect()))
    assert "FOR UPDATE OF diglot_chains SKIP LOCKED" in sql
    assert "LIMIT %(v_limit)s" in sql


@pytest.mark.parametrize("name", ["PURGED", "PURGED_CONVERSATIONS", "PURGED_COMPLETIONS", "END"])
def test_a_purge_is_of_one_tenant_or_of_all(name: str) -> None:
    """And of what is older, but for what everything ends."""
    names = getattr(statements, name).names
    assert {"v_any", "v_tenant", "v_limit"} <= set(names)
    assert ("v_before" in names) == (name != "END")
