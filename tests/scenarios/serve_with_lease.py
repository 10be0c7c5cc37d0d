"""`diglot serve` with locks that end sooner after its death: `python serve_with_lease.py SECONDS serve ...`."""

import sys

from diglot.__main__ import main
from diglot.adapters.stateful import keeper, leases

if __name__ == "__main__":
    leases.LEASE = float(sys.argv.pop(1))
    keeper._RENEWED_EVERY = leases.LEASE / 3
    main()
