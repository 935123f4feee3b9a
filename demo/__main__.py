"""``python -m demo`` in the project's folder; ``python -m demo fraud`` runs one domain."""

import sys

from demo.runner import main

if __name__ == "__main__":
    # By `featurestore demo` the arguments are that program's own.
    main(sys.argv[1:] if sys.argv[0].endswith("__main__.py") else ())
