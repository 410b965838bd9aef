#!/usr/bin/env bash
# What a stranger with grpcurl gets from a running server.
#
#   tests/clients/grpcurl/session.sh 127.0.0.1:50051
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../../scripts/lib.sh"

ADDRESS="${1:?address of the server, such as 127.0.0.1:50051}"
GRPCURL="$TOOLS/bin/grpcurl"
PASSED=0
FAILED=0

# holds TITLE TEXT PATTERN...: every pattern is in the text.
holds() {
    local title="$1" text="$2" pattern missing=""
    shift 2
    for pattern in "$@"; do
        grep -qE -- "$pattern" <<<"$text" || missing+=" $pattern"
    done
    if [ -z "$missing" ]; then
        echo "$title ... ok"
        PASSED=$((PASSED + 1))
    else
        # The end of a long answer: a log that holds all of it shows nothing else.
        printf '%s ... FAILED: not found:%s in\n%s\n' "$title" "$missing" "$(tail -n 40 <<<"$text")"
        FAILED=$((FAILED + 1))
    fi
}

# call METHOD FILE: the reply, or the refusal.
call() {
    "$GRPCURL" -plaintext -max-time 10 -d @ "$ADDRESS" "$1" 2>&1 || true
}

for _ in $(seq 100); do
    [[ "$(call grpc.health.v1.Health/Check <<<'{}')" == *'"SERVING"'* ]] && break
    sleep 0.1
done

holds "list" "$("$GRPCURL" -plaintext "$ADDRESS" list 2>&1 || true)" \
    '^concord\.v1\.DecisionService$' '^concord\.v1\.RulesetService$' '^grpc\.health\.v1\.Health$'
holds "describe the service" "$("$GRPCURL" -plaintext "$ADDRESS" describe concord.v1.DecisionService 2>&1 || true)" \
    'rpc Evaluate \(' 'rpc EvaluateStream \( stream' '// Evaluates one patient'
holds "describe a message with its comments" "$("$GRPCURL" -plaintext "$ADDRESS" describe concord.v1.Patient 2>&1 || true)" \
    'repeated .concord.v1.Diagnosis diagnoses' '// Conditions, present and past'
holds "health" "$(call grpc.health.v1.Health/Check <<<'{"service": "concord.v1.DecisionService"}')" '"status": "SERVING"'
holds "evaluate: four approaches, standings, rationale, evidence" \
    "$(call concord.v1.DecisionService/Evaluate <"$EXAMPLE")" \
    '"scope": "PRESENT"' '"approach": "dual-diagnosis-treatment"' '"approach": "medication-assisted-treatment"' \
    '"approach": "trauma-informed-care"' '"approach": "holistic-interventions"' '"standing": "RECOMMENDED"' \
    '"patient.diagnoses\[0\]' '"patient.diagnoses\[1\]' '"evidence": \[' '"clinicalReview": "NONE"' '"audit": "RECORDED"' \
    '"leafHash": "'
holds "a field that does not exist is refused" \
    "$(call concord.v1.DecisionService/Evaluate <<<'{"patient": {"diagnosis": []}}')" 'no known field named diagnosis'
holds "fields at fault" \
    "$(call concord.v1.DecisionService/Evaluate <<<'{"patient": {"ageYears": -1}}')" 'Code: InvalidArgument' 'google.rpc.BadRequest'
holds "no patient" "$(call concord.v1.DecisionService/Evaluate <<<'{}')" 'Code: InvalidArgument'
holds "the package" "$(call concord.v1.RulesetService/GetRuleset <<<'{}')" '"digest": "[0-9a-f]{64}"' '"rules": [1-9]'
holds "a page of rules" "$(call concord.v1.RulesetService/ListRules <<<'{"pageSize": 2}')" '"id": "' '"nextPageToken": "'
holds "a rule that does not exist" "$(call concord.v1.RulesetService/GetRule <<<'{"id": "no-such-rule"}')" 'Code: NotFound'

holds "a checkpoint of the record" "$(call concord.v1.AuditService/GetCheckpoint <<<'{}')" '"note": "concord/' '"publicKeys"'
holds "the decisions on record" "$(call concord.v1.AuditService/ListDecisions <<<'{"pageSize": 1}')" '"kind": "decision"' '"nextPageToken"'

echo "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ]
