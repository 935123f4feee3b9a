"""``python -m demo.stream``: payments arrive, features follow, a model scores. Ctrl-C ends it."""

import sys

from demo.stream.live import main

if __name__ == "__main__":
    main(sys.argv[1:])
