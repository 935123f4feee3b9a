"""The program ``featurestore``, as `python -m tests.object_store.verb VERB ...`."""

from featurestore.cli import main

if __name__ == "__main__":
    main()
