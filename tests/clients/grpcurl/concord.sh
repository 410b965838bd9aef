#!/usr/bin/env bash
# Calls Concord with grpcurl: a deadline, and what may be asked again, when. Requests come in, answers go out, as JSON; a
# refusal goes to standard error as `google.rpc.Status` in JSON, and its code + 64 is the exit code.
#
#   tests/clients/grpcurl/concord.sh 127.0.0.1:50051 concord.v1.DecisionService/Evaluate 10 <examples/oud-ptsd.json
#
# GRPCURL: the program. GRPCURL_FLAGS: further flags, such as `-protoset concord.protoset` where there is no reflection.
set -euo pipefail

ADDRESS="${1:?address of the server}"
METHOD="${2:?method}"
DEADLINE="${3:-10}"
ATTEMPTS=4
UNAVAILABLE=78

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cat >"$folder/request"
now() { date +%s.%N; }
# calc EXPRESSION: what awk makes of it.
calc() { awk "BEGIN { srand($RANDOM); printf \"%.3f\", $1 }"; }

end="$(calc "$(now) + $DEADLINE")"
for attempt in $(seq "$ATTEMPTS"); do
    code=0
    # The deadline holds for all attempts together.
    # shellcheck disable=SC2086
    "${GRPCURL:-grpcurl}" -plaintext -format-error -max-time "$(calc "$end - $(now)")" ${GRPCURL_FLAGS:-} -d @ \
        "$ADDRESS" "$METHOD" <"$folder/request" >"$folder/answer" 2>"$folder/refusal" || code=$?
    [ "$code" = 0 ] && break
    # `RetryInfo` says when to ask again. A little later than that, so that not all callers come back at once. Exit code 1:
    # there was no connection.
    delay="$(sed -nE 's/.*"retryDelay": "([0-9.]+)s".*/\1/p' "$folder/refusal")"
    if [ -n "$delay" ]; then
        delay="$(calc "$delay * (1 + 0.2 * rand())")"
    elif [ "$code" = "$UNAVAILABLE" ] || [ "$code" = 1 ]; then
        delay="$(calc "0.1 * 2 ^ $attempt * (0.5 + 0.5 * rand())")"
    else
        break
    fi
    [ "$attempt" = "$ATTEMPTS" ] || [ "$(calc "$(now) + $delay < $end")" = 0.000 ] && break
    sleep "$delay"
done
cat "$folder/answer"
cat "$folder/refusal" >&2
exit "$code"
