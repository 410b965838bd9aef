// Makes the calls of a list of cases and prints what came of each, a line of JSON a case:
//
//     node dist/outcomes.js 127.0.0.1:50051 target/clients/cases.json
import * as grpc from "@grpc/grpc-js";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { call, Concord, OPTIONS, refusalOf, type Refusal } from "./client.js";
import { AuditServiceClient, GetDecisionRequest, GetDecisionResponse } from "./gen/concord/v1/audit_service.js";
import { scopeToJSON } from "./gen/concord/v1/decision.js";
import { EvaluateRequest, EvaluateResponse, type EvaluateStreamResponse } from "./gen/concord/v1/decision_service.js";
import { GetRuleRequest, GetRuleResponse, ListRulesRequest, ListRulesResponse, RulesetServiceClient } from "./gen/concord/v1/ruleset_service.js";

interface Case {
  id: string;
  method: string;
  deadlineMs: number;
  requests: unknown[];
}

interface Clients {
  concord: Concord;
  rules: RulesetServiceClient;
  audit: AuditServiceClient;
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** An answer: what stands in it, and the digest of its canonical bytes. */
function answered(answer: EvaluateResponse): object {
  const canonical = { ...answer, decisionId: "", receipt: undefined, engineVersion: "" };
  return {
    code: "OK",
    scope: scopeToJSON(answer.scope),
    alerts: answer.alerts.map((alert) => alert.id),
    // With an id of the caller's, the decision is the same whoever asks.
    decision: answer.requestId ? answer.decisionId : "",
    sha256: digest(EvaluateResponse.encode(canonical).finish()),
  };
}

function refused(why: Refusal): object {
  return {
    code: grpc.status[why.code],
    // A text without details is the library's own.
    message: why.info.reason ? why.message : "",
    reason: why.info.reason,
    domain: why.info.domain,
    metadata: why.info.metadata,
    violations: why.violations.map((at) => [at.field, at.reason, at.description]),
    retryAfterMs: why.retryAfterMs,
  };
}

/** An item of a stream. */
function item({ requestId, response, status }: EvaluateStreamResponse): object {
  if (response) return { requestId, ...answered(response) };
  if (!status) throw new Error("an item without an outcome");
  const info = { reason: status.reason, domain: "", metadata: {} };
  return { requestId, ...refused({ code: status.code, message: status.message, info, violations: status.fieldViolations, retryAfterMs: null }) };
}

async function outcome({ concord, rules, audit }: Clients, { method, deadlineMs, requests }: Case): Promise<object> {
  try {
    switch (method) {
      case "Evaluate":
        return answered(await concord.evaluate(EvaluateRequest.fromJSON(requests[0]), deadlineMs));
      case "EvaluateStream": {
        const items: object[] = [];
        for await (const answer of concord.evaluateAll(requests.map(EvaluateRequest.fromJSON), deadlineMs)) items.push(item(answer));
        return { code: "OK", items };
      }
      case "GetRule": {
        const answer = await call<GetRuleRequest, GetRuleResponse>(rules.getRule.bind(rules), GetRuleRequest.fromJSON(requests[0]), deadlineMs);
        return { code: "OK", sha256: digest(GetRuleResponse.encode(answer).finish()) };
      }
      case "ListRules": {
        const answer = await call<ListRulesRequest, ListRulesResponse>(rules.listRules.bind(rules), ListRulesRequest.fromJSON(requests[0]), deadlineMs);
        return { code: "OK", sha256: digest(ListRulesResponse.encode(answer).finish()) };
      }
      case "GetDecision": {
        const answer = await call<GetDecisionRequest, GetDecisionResponse>(audit.getDecision.bind(audit), GetDecisionRequest.fromJSON(requests[0]), deadlineMs);
        return { code: "OK", sha256: digest(GetDecisionResponse.encode(answer).finish()) };
      }
      default:
        throw new Error(`no such method: ${method}`);
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && "metadata" in error) return refused(refusalOf(error as grpc.ServiceError));
    throw error;
  }
}

const [address, cases] = process.argv.slice(2);
if (!address || !cases) throw new Error("usage: outcomes ADDRESS CASES");
const credentials = grpc.credentials.createInsecure();
const clients: Clients = {
  concord: new Concord(address),
  rules: new RulesetServiceClient(address, credentials, OPTIONS),
  audit: new AuditServiceClient(address, credentials, OPTIONS),
};
for (const one of JSON.parse(readFileSync(cases, "utf8")) as Case[]) {
  console.log(JSON.stringify({ id: one.id, ...(await outcome(clients, one)) }));
}
for (const client of Object.values(clients)) client.close();
