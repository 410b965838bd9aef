#!/usr/bin/env sh
# Generates the stubs of `concord.v1`, and the details of a status, into `src/gen/`. protoc is that of Python's
# grpcio-tools; any other will do.
set -eu
cd "$(dirname "$0")"
venv=../../../target/tools/venv
googleapis="$(echo "$venv"/lib/python*/site-packages)"
rm -rf src/gen
mkdir -p src/gen
"$venv/bin/python" -m grpc_tools.protoc -I ../../../proto -I "$googleapis" \
    --plugin=node_modules/.bin/protoc-gen-ts_proto --ts_proto_out=src/gen \
    --ts_proto_opt=outputServices=grpc-js,esModuleInterop=true,importSuffix=.js,useOptionals=none \
    ../../../proto/concord/v1/*.proto "$googleapis/google/rpc/status.proto" "$googleapis/google/rpc/error_details.proto"
