"""What a migration is to do."""

import pickle

from diglot.adapters.migrate import Options


def test_options_go_to_other_processes() -> None:
    """They come back as they were; two of the same settings are one."""
    options = Options(to="chat", strict=True)
    assert pickle.loads(pickle.dumps(options)) == options == Options(to="chat", strict=True)
    assert hash(options) != hash(Options(to="responses"))
