"""``python -m demo`` in the project's folder."""

from demo.runner import main

if __name__ == "__main__":
    main()
