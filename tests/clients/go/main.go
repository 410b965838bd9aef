// Makes the calls of a list of cases and prints what came of each, a line of JSON a case:
//
//	outcomes 127.0.0.1:50051 target/clients/cases.json
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"concord.test/clients/client"
	pb "concord.test/clients/concordv1"
)

type call struct {
	ID         string            `json:"id"`
	Method     string            `json:"method"`
	DeadlineMs int64             `json:"deadlineMs"`
	Requests   []json.RawMessage `json:"requests"`
}

type outcome map[string]any

// read makes the message of a request.
func read[M proto.Message](text json.RawMessage, message M) M {
	if err := protojson.Unmarshal(text, message); err != nil {
		log.Fatal(err)
	}
	return message
}

func digest(message proto.Message) string {
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		log.Fatal(err)
	}
	sum := sha256.Sum256(bytes)
	return hex.EncodeToString(sum[:])
}

// answered is an answer: what stands in it, and the digest of its canonical bytes.
func answered(answer *pb.EvaluateResponse) outcome {
	alerts := []string{}
	for _, alert := range answer.GetAlerts() {
		alerts = append(alerts, alert.GetId())
	}
	decision := ""
	if answer.GetRequestId() != "" {
		// With an id of the caller's, the decision is the same whoever asks.
		decision = answer.GetDecisionId()
	}
	answer.DecisionId, answer.Receipt, answer.EngineVersion = "", nil, ""
	return outcome{"code": "OK", "scope": answer.GetScope().String(), "alerts": alerts, "decision": decision, "sha256": digest(answer)}
}

func refused(why client.Refusal) outcome {
	message := why.Message
	if why.Info.GetReason() == "" {
		message = "" // A text without details is the library's own.
	}
	metadata := why.Info.GetMetadata()
	if metadata == nil {
		metadata = map[string]string{}
	}
	violations := [][]string{}
	for _, at := range why.Violations {
		violations = append(violations, []string{at.GetField(), at.GetReason(), at.GetDescription()})
	}
	var retryAfter *int64
	if why.RetryAfter != nil {
		milliseconds := why.RetryAfter.Milliseconds()
		retryAfter = &milliseconds
	}
	return outcome{
		"code": name(why.Code), "message": message, "reason": why.Info.GetReason(), "domain": why.Info.GetDomain(),
		"metadata": metadata, "violations": violations, "retryAfterMs": retryAfter,
	}
}

// name spells a code as gRPC does, which Go does not.
func name(code codes.Code) string {
	names := map[codes.Code]string{
		codes.OK: "OK", codes.Canceled: "CANCELLED", codes.Unknown: "UNKNOWN", codes.InvalidArgument: "INVALID_ARGUMENT",
		codes.DeadlineExceeded: "DEADLINE_EXCEEDED", codes.NotFound: "NOT_FOUND", codes.AlreadyExists: "ALREADY_EXISTS",
		codes.PermissionDenied: "PERMISSION_DENIED", codes.ResourceExhausted: "RESOURCE_EXHAUSTED",
		codes.FailedPrecondition: "FAILED_PRECONDITION", codes.Aborted: "ABORTED", codes.OutOfRange: "OUT_OF_RANGE",
		codes.Unimplemented: "UNIMPLEMENTED", codes.Internal: "INTERNAL", codes.Unavailable: "UNAVAILABLE",
		codes.DataLoss: "DATA_LOSS", codes.Unauthenticated: "UNAUTHENTICATED",
	}
	return names[code]
}

// item is an item of a stream.
func item(answer *pb.EvaluateStreamResponse) outcome {
	var result outcome
	if response := answer.GetResponse(); response != nil {
		result = answered(response)
	} else {
		from := answer.GetStatus()
		why := client.Refusal{Code: codes.Code(from.GetCode()), Message: from.GetMessage(), Info: &errdetails.ErrorInfo{Reason: from.GetReason()}}
		for _, at := range from.GetFieldViolations() {
			why.Violations = append(why.Violations, &errdetails.BadRequest_FieldViolation{Field: at.GetField(), Reason: at.GetReason(), Description: at.GetDescription()})
		}
		result = refused(why)
	}
	result["requestId"] = answer.GetRequestId()
	return result
}

func made(conn *grpc.ClientConn, call call) (outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(call.DeadlineMs)*time.Millisecond)
	defer cancel()
	var answer proto.Message
	var err error
	switch call.Method {
	case "Evaluate":
		answer, err := pb.NewDecisionServiceClient(conn).Evaluate(ctx, read(call.Requests[0], &pb.EvaluateRequest{}))
		if err != nil {
			return nil, err
		}
		return answered(answer), nil
	case "EvaluateStream":
		var requests []*pb.EvaluateRequest
		for _, text := range call.Requests {
			requests = append(requests, read(text, &pb.EvaluateRequest{}))
		}
		answers, err := client.EvaluateAll(ctx, conn, requests)
		if err != nil {
			return nil, err
		}
		items := []outcome{}
		for _, answer := range answers {
			items = append(items, item(answer))
		}
		return outcome{"code": "OK", "items": items}, nil
	case "GetRule":
		answer, err = pb.NewRulesetServiceClient(conn).GetRule(ctx, read(call.Requests[0], &pb.GetRuleRequest{}))
	case "ListRules":
		answer, err = pb.NewRulesetServiceClient(conn).ListRules(ctx, read(call.Requests[0], &pb.ListRulesRequest{}))
	case "GetDecision":
		answer, err = pb.NewAuditServiceClient(conn).GetDecision(ctx, read(call.Requests[0], &pb.GetDecisionRequest{}))
	default:
		log.Fatalf("no such method: %s", call.Method)
	}
	if err != nil {
		return nil, err
	}
	return outcome{"code": "OK", "sha256": digest(answer)}, nil
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: outcomes ADDRESS CASES")
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	var calls []call
	if err := json.Unmarshal(text, &calls); err != nil {
		log.Fatal(err)
	}
	conn, err := client.Connect(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	for _, call := range calls {
		result, err := made(conn, call)
		if err != nil {
			result = refused(client.RefusalOf(err))
		}
		result["id"] = call.ID
		line, err := json.Marshal(result)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(line))
	}
}
