"""The lowest versions that `make lowest` installs."""

from lowest import constraints


def test_floors_of_what_runs_are_constraints() -> None:
    """What diglot runs on has its lowest version, with its marker; tools, and what has no lowest version, are free."""
    project = {
        "dependencies": ["msgspec>=0.19"],
        "optional-dependencies": {
            "asgi": ["anyio>=4.10"],
            "server": ["diglot[asgi]", "certifi", "uvloop>=0.19; sys_platform != 'win32'"],
            "test": ["pytest>=9"],
            "bench": ["psutil>=6"],
        },
    }
    assert constraints(project) == ["anyio==4.10", "msgspec==0.19", "uvloop==0.19; sys_platform != 'win32'"]
