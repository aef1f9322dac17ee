#!/usr/bin/env bash
# Runs the snippets of docs/notebooks.md over runs of this checkout. Skipped, with a line that says so, without
# python3, venv or the package registry.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${CARGO_TARGET_DIR:-target}/notebooks-venv

skip() { echo "skipped: docs/notebooks.md is not run: $*"; exit 0; }

command -v python3 > /dev/null || skip "there is no python3"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || skip "python3 is older than 3.11"
python3 -m venv "$venv" > /dev/null 2>&1 || skip "python3 has no venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement tests/notebooks/requirements.txt \
    || skip "pip cannot install tests/notebooks/requirements.txt"
# EBBFLOW_BINARY names one that is built already.
if [ -z "${EBBFLOW_BINARY:-}" ]; then
    cargo build --features parquet
    EBBFLOW_BINARY=${CARGO_TARGET_DIR:-target}/debug/ebbflow
fi
"$venv/bin/python" tests/notebooks/run.py "$@" "$EBBFLOW_BINARY"
