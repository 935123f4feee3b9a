#!/usr/bin/env bash
# Makes .venv with the locked versions, from the newest Python at hand that is new enough.
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

find_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  return 1
}

make_venv() {
  local python
  python=$(find_python) || stop "Python 3.11 or newer is needed: install it and put it on PATH."
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    # Debian ships venv's pip apart.
    { as_root apt-get update -qq && as_root apt-get install -qq -y python3-venv; } >/dev/null 2>&1 ||
      stop "$python has no ensurepip: install it, e.g. 'apt-get install python3-venv'."
  fi
  "$python" -m venv --clear .venv
}

if ! .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  make_venv
fi
echo "setup: installing the locked versions into .venv" >&2
.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
