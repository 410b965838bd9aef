package example;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.ErrorInfo;
import concord.v1.AuditServiceGrpc;
import concord.v1.AuditServiceOuterClass.GetDecisionRequest;
import concord.v1.Decision.Alert;
import concord.v1.DecisionServiceOuterClass.EvaluateRequest;
import concord.v1.DecisionServiceOuterClass.EvaluateResponse;
import concord.v1.DecisionServiceOuterClass.EvaluateStreamResponse;
import concord.v1.RulesetServiceGrpc;
import concord.v1.RulesetServiceOuterClass.GetRuleRequest;
import concord.v1.RulesetServiceOuterClass.ListRulesRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Makes the calls of a list of cases and prints what came of each, a line of JSON a case. */
public final class Outcomes {
    private static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

    private record Call(String id, String method, long deadlineMs, List<JsonElement> requests) {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 2) {
            throw new IllegalArgumentException("usage: Outcomes ADDRESS CASES");
        }
        var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        var cases = JsonParser.parseString(Files.readString(Path.of(arguments[1]))).getAsJsonArray();
        try (var client = new ConcordClient(arguments[0])) {
            for (var element : cases) {
                var call = GSON.fromJson(element, Call.class);
                var outcome = outcome(client, call);
                outcome.put("id", call.id());
                out.println(GSON.toJson(outcome));
            }
        }
    }

    private static Map<String, Object> outcome(ConcordClient client, Call call) throws Exception {
        var deadline = Duration.ofMillis(call.deadlineMs());
        var first = call.requests().get(0);
        var rules = RulesetServiceGrpc.newBlockingStub(client.channel());
        var audit = AuditServiceGrpc.newBlockingStub(client.channel());
        try {
            switch (call.method()) {
                case "Evaluate" -> {
                    return answered(client.evaluate(read(first, EvaluateRequest.newBuilder()).build(), deadline));
                }
                case "EvaluateStream" -> {
                    var requests = new ArrayList<EvaluateRequest>();
                    for (var text : call.requests()) {
                        requests.add(read(text, EvaluateRequest.newBuilder()).build());
                    }
                    var items = new ArrayList<>();
                    for (var answer : client.evaluateAll(requests, deadline)) {
                        items.add(item(answer));
                    }
                    return outcome("OK", "items", items);
                }
                case "GetRule" -> {
                    var request = read(first, GetRuleRequest.newBuilder()).build();
                    return outcome("OK", "sha256", digest(client.call(rules, deadline, stub -> stub.getRule(request))));
                }
                case "ListRules" -> {
                    var request = read(first, ListRulesRequest.newBuilder()).build();
                    return outcome("OK", "sha256", digest(client.call(rules, deadline, stub -> stub.listRules(request))));
                }
                case "GetDecision" -> {
                    var request = read(first, GetDecisionRequest.newBuilder()).build();
                    return outcome("OK", "sha256", digest(client.call(audit, deadline, stub -> stub.getDecision(request))));
                }
                default -> throw new IllegalArgumentException("no such method: " + call.method());
            }
        } catch (StatusRuntimeException error) {
            return refused(Refusal.of(error));
        }
    }

    /** An answer: what stands in it, and the digest of its canonical bytes. */
    private static Map<String, Object> answered(EvaluateResponse answer) throws Exception {
        var canonical = answer.toBuilder().clearDecisionId().clearReceipt().clearEngineVersion().build();
        var outcome = outcome("OK", "sha256", digest(canonical));
        outcome.put("scope", answer.getScope().name());
        outcome.put("alerts", answer.getAlertsList().stream().map(Alert::getId).toList());
        // With an id of the caller's, the decision is the same whoever asks.
        outcome.put("decision", answer.getRequestId().isEmpty() ? "" : answer.getDecisionId());
        return outcome;
    }

    private static Map<String, Object> refused(Refusal why) {
        var info = why.info();
        // A text without details is the library's own.
        var outcome = outcome(why.code().name(), "message", info.getReason().isEmpty() ? "" : why.message());
        outcome.put("reason", info.getReason());
        outcome.put("domain", info.getDomain());
        outcome.put("metadata", info.getMetadataMap());
        outcome.put("violations", why.violations().stream()
                .map(at -> List.of(at.getField(), at.getReason(), at.getDescription()))
                .toList());
        outcome.put("retryAfterMs", why.retryAfter().map(Duration::toMillis).orElse(null));
        return outcome;
    }

    /** An item of a stream. */
    private static Map<String, Object> item(EvaluateStreamResponse answer) throws Exception {
        var outcome = answer.hasResponse() ? answered(answer.getResponse()) : refused(refusal(answer));
        outcome.put("requestId", answer.getRequestId());
        return outcome;
    }

    private static Refusal refusal(EvaluateStreamResponse answer) {
        var status = answer.getStatus();
        var violations = status.getFieldViolationsList().stream()
                .map(at -> FieldViolation.newBuilder()
                        .setField(at.getField())
                        .setReason(at.getReason())
                        .setDescription(at.getDescription())
                        .build())
                .toList();
        var info = ErrorInfo.newBuilder().setReason(status.getReason()).build();
        var code = Status.fromCodeValue(status.getCode()).getCode();
        return new Refusal(code, status.getMessage(), info, violations, Optional.empty());
    }

    private static Map<String, Object> outcome(String code, String name, Object value) {
        var outcome = new LinkedHashMap<String, Object>();
        outcome.put("code", code);
        outcome.put(name, value);
        return outcome;
    }

    private static <B extends Message.Builder> B read(JsonElement text, B message) throws InvalidProtocolBufferException {
        JsonFormat.parser().merge(text.toString(), message);
        return message;
    }

    private static String digest(Message message) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(message.toByteArray()));
    }
}
