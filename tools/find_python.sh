#!/usr/bin/env bash
# Prints the path of the Python that .venv is made with: $PYTHON if it is set, else the newest of
# 3.13, 3.12 and 3.11 on PATH or in pyenv's folder, else a newer one.
set -euo pipefail

# The locked packages have wheels for these versions.
ask='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
ask_newer='import sys; sys.exit(sys.version_info < (3, 14))'
# The Python itself: not the link in a .venv that is active, nor pyenv's stand-in.
path='import sys; print(getattr(sys, "_base_executable", sys.executable))'

# Each candidate is run, because pyenv puts a stand-in on PATH also for versions that it refuses.
fits() { "$1" -c "$2" >/dev/null 2>&1; }

if [ -n "${PYTHON:-}" ]; then
  fits "$PYTHON" "$ask" || fits "$PYTHON" "$ask_newer" || {
    echo "setup: PYTHON=$PYTHON is not a Python of version 3.11 or newer. Example:" \
      "make setup PYTHON=/usr/bin/python3.12" >&2
    exit 1
  }
  exec "$PYTHON" -c "$path"
fi

shopt -s nullglob
folder=${PYENV_ROOT:-${HOME:-/}/.pyenv}/versions
for name in python3.13 python3.12 python3.11 python3 python \
  "$folder"/3.13.*/bin/python "$folder"/3.12.*/bin/python "$folder"/3.11.*/bin/python; do
  if fits "$name" "$ask"; then exec "$name" -c "$path"; fi
done
for name in python3 python3.14 python3.15; do
  if fits "$name" "$ask_newer"; then
    echo "setup: trying $("$name" --version): tested are 3.11, 3.12 and 3.13" >&2
    exec "$name" -c "$path"
  fi
done
echo "setup: no Python 3.11, 3.12 or 3.13 was found on PATH or in $folder. Install one (Debian:" \
  "apt-get install python3 python3-venv), or name one: make setup PYTHON=/usr/bin/python3.12" >&2
exit 1
