#!/usr/bin/env bash
# The units of systemd, read by systemd's own analyzer, where it is present.
#
#   tests/deploy/units.sh target/release/concord
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
PROGRAM="$(realpath "${1:?the program}")"

if ! command -v systemd-analyze >/dev/null; then
    echo "systemd-analyze is not here: the units are not verified"
    exit 0
fi
FOLDER="$(mktemp -d)"
trap 'rm -rf "$FOLDER"' EXIT
cp "$ROOT"/deploy/systemd/concord.socket "$FOLDER"
sed "s#/usr/local/bin/concord#$PROGRAM#" "$ROOT/deploy/systemd/concord.service" >"$FOLDER/concord.service"
TOLD="$(systemd-analyze verify "$FOLDER/concord.service" "$FOLDER/concord.socket" 2>&1)"
if [ -n "$TOLD" ]; then
    echo "$TOLD" >&2
    exit 1
fi
# In tenths: 1.5 of 10. A service without any of the settings has 9.6.
systemd-analyze security --offline=true --threshold=15 --no-pager "$FOLDER/concord.service" | tail -n 1
