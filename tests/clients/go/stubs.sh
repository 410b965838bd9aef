#!/usr/bin/env bash
# Generates the stubs of `concord.v1` into `concordv1/`, with the plugins that go.mod pins. protoc is that of Python's
# grpcio-tools; any other will do.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
ROOT=../../..
TOOLS="$(realpath "$ROOT")/target/tools"
PACKAGE=concord.test/clients/concordv1

GOBIN="$TOOLS/bin" go install tool
options=()
for proto in "$ROOT"/proto/concord/v1/*.proto; do
    # The contract names no Go package: the client does.
    options+=("--go_opt=Mconcord/v1/${proto##*/}=$PACKAGE" "--go-grpc_opt=Mconcord/v1/${proto##*/}=$PACKAGE")
done
"$TOOLS/venv/bin/python" -m grpc_tools.protoc -I "$ROOT/proto" -I "$TOOLS"/venv/lib/python*/site-packages \
    --plugin="$TOOLS/bin/protoc-gen-go" --plugin="$TOOLS/bin/protoc-gen-go-grpc" \
    --go_out=. --go_opt=module=concord.test/clients --go-grpc_out=. --go-grpc_opt=module=concord.test/clients \
    "${options[@]}" "$ROOT"/proto/concord/v1/*.proto
