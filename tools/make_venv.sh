#!/usr/bin/env bash
# Makes .venv with exactly the packages of requirements-dev.lock, or brings it back to them.
set -euo pipefail
cd "$(dirname "$0")/.."

stop() {
  echo "setup: $1" >&2
  exit 1
}

# Runs a command as root, or fails without asking for a password.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Prints the version and the folder of a Python: the same for a .venv and for what it was made by.
describe() {
  "$1" -c 'import os, sys; print(sys.version_info[:3], os.path.realpath(sys.base_prefix))'
}

# Whether .venv was made here (its programs name its path), to the end, and by the wanted Python.
is_usable() {
  [ "$(head -n 1 .venv/.complete 2>/dev/null)" = "$PWD" ] || return 1
  .venv/bin/python -c 'import pip' 2>/dev/null || return 1
  [ -z "${PYTHON:-}" ] || [ "$(describe "$PYTHON")" = "$(describe .venv/bin/python)" ]
}

make_venv() {
  local python
  python=$(tools/find_python.sh)
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    # Debian ships venv's pip in a package of its own.
    { as_root apt-get update -qq && as_root apt-get install -qq -y python3-venv; } >/dev/null 2>&1 ||
      stop "$python has no ensurepip: install it, e.g. 'apt-get install python3-venv'."
  fi
  echo "setup: making .venv with $("$python" --version) ($python)" >&2
  "$python" -m venv --clear .venv
}

is_usable || make_venv
.venv/bin/python tools/install_lock.py
