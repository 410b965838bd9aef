#!/usr/bin/env bash
# The published descriptor set: the real grpcurl calls by it, without reflection, and reads the details of a refusal.
#
#   tests/deploy/protoset.sh target/release/concord 127.0.0.1:50051
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
PROGRAM="${1:?the program}"
ADDRESS="${2:?address of the server}"
SET="$(mktemp)"
trap 'rm -f "$SET"' EXIT
"$PROGRAM" descriptor-set >"$SET"

# call METHOD: by the set alone; what comes of it.
call() {
    "$TOOLS/bin/grpcurl" -plaintext -use-reflection=false -protoset "$SET" -max-time 10 -d @ "$ADDRESS" "$1" 2>&1 || true
}

# has TEXT PATTERN
has() {
    grep -qE -- "$2" <<<"$1" || fail "by the descriptor set: no $2 in $(tail -n 20 <<<"$1")"
}

for _ in $(seq 300); do
    [[ "$(call grpc.health.v1.Health/Check <<<'{}')" == *'"SERVING"'* ]] && break
    sleep 0.1
done
has "$(call grpc.health.v1.Health/Check <<<'{"service": "concord.v1.DecisionService"}')" '"status": "SERVING"'
has "$(call concord.v1.DecisionService/Evaluate <"$EXAMPLE")" '"scope": "PRESENT"'
has "$(call concord.v1.DecisionService/Evaluate <<<'{"patient": {"ageYears": -1}}')" '"field": "patient.age_years"'
has "$("$TOOLS/bin/grpcurl" -protoset "$SET" describe concord.v1.RulesetService.GetRule)" 'google.api.http.*\{ *get: *"/v1/ruleset/rules/\{id\}"'
echo "called by the descriptor set, $(wc -c <"$SET") bytes"
