"""`python -m diglot.adapters.cli`, as `python -m diglot` and `diglot`."""

from .commands import main

if __name__ == "__main__":
    main()
