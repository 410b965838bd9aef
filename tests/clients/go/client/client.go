// Package client is a client of Concord: deadlines, what may be asked again and when, and why a call was refused.
package client

import (
	"context"
	"io"
	"math/rand/v2"
	"time"

	_ "google.golang.org/genproto/googleapis/api/annotations" // Options of the contract are of it.
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	pb "concord.test/clients/concordv1"
)

const attempts = 4

// Refusal is why a call was refused, of google.rpc.Status.
type Refusal struct {
	Code       codes.Code
	Message    string
	Info       *errdetails.ErrorInfo
	Violations []*errdetails.BadRequest_FieldViolation
	RetryAfter *time.Duration
}

// RefusalOf reads the details of an error of a call.
func RefusalOf(err error) Refusal {
	from := status.Convert(err)
	refusal := Refusal{Code: from.Code(), Message: from.Message(), Info: &errdetails.ErrorInfo{}}
	for _, detail := range from.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			refusal.Info = detail
		case *errdetails.BadRequest:
			refusal.Violations = detail.GetFieldViolations()
		case *errdetails.RetryInfo:
			delay := detail.GetRetryDelay().AsDuration()
			refusal.RetryAfter = &delay
		}
	}
	return refusal
}

// pause says how long to wait before a call is made again, and whether that would help. gRPC's own retries don't read
// RetryInfo, which is why there is no retry policy in the service config. A little more than was asked, so that not all
// callers come back at once.
func pause(refusal Refusal, attempt int) (time.Duration, bool) {
	switch {
	case refusal.RetryAfter != nil:
		return time.Duration(float64(*refusal.RetryAfter) * (1 + 0.2*rand.Float64())), true
	case refusal.Code == codes.Unavailable:
		return time.Duration(float64(100*time.Millisecond<<attempt) * (0.5 + 0.5*rand.Float64())), true
	default:
		return 0, false
	}
}

// retry is an interceptor that makes a call again where its refusal says that this helps. The deadline of the context
// holds for all attempts together. A request with a request_id may be repeated without a second decision on record.
func retry(ctx context.Context, method string, request, answer any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	for attempt := 1; ; attempt++ {
		err := invoke(ctx, method, request, answer, conn, options...)
		if err == nil {
			return nil
		}
		wait, helps := pause(RefusalOf(err), attempt)
		end, bounded := ctx.Deadline()
		if !helps || attempt == attempts || bounded && time.Until(end) <= wait {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// Connect gives a connection whose unary calls are retried.
func Connect(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(retry))
}

// EvaluateAll gives the answers to many requests, in their order. A refused item has a status in its place, and the
// stream goes on.
func EvaluateAll(ctx context.Context, conn *grpc.ClientConn, requests []*pb.EvaluateRequest) ([]*pb.EvaluateStreamResponse, error) {
	stream, err := pb.NewDecisionServiceClient(conn).EvaluateStream(ctx)
	if err != nil {
		return nil, err
	}
	// Sent beside what is received: neither side has to hold the whole of it.
	go func() {
		for _, request := range requests {
			if stream.Send(&pb.EvaluateStreamRequest{Request: request}) != nil {
				return // Recv says why.
			}
		}
		stream.CloseSend()
	}()
	var answers []*pb.EvaluateStreamResponse
	for {
		answer, err := stream.Recv()
		if err == io.EOF {
			return answers, nil
		}
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
}
