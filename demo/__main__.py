"""``python -m demo`` in the project's folder; ``python -m demo fraud`` runs one domain."""

import sys

from demo.runner import main

if __name__ == "__main__":
    # `featurestore demo` runs this too, with arguments of its own in sys.argv.
    by_module = sys.orig_argv[1:3] == ["-m", "demo"]
    main(sys.orig_argv[3:] if by_module else ())
