package example;

import concord.v1.DecisionServiceGrpc;
import concord.v1.DecisionServiceOuterClass.EvaluateRequest;
import concord.v1.DecisionServiceOuterClass.EvaluateResponse;
import concord.v1.DecisionServiceOuterClass.EvaluateStreamRequest;
import concord.v1.DecisionServiceOuterClass.EvaluateStreamResponse;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractBlockingStub;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A client of Concord: deadlines, what may be asked again and when. {@link Refusal} says why a call was refused. */
final class ConcordClient implements AutoCloseable {
    private static final int ATTEMPTS = 4;

    private final ManagedChannel channel;

    ConcordClient(String address) {
        channel = ManagedChannelBuilder.forTarget(address).usePlaintext().build();
    }

    Channel channel() {
        return channel;
    }

    /** The answer to one request. */
    EvaluateResponse evaluate(EvaluateRequest request, Duration deadline) throws InterruptedException {
        return call(DecisionServiceGrpc.newBlockingStub(channel), deadline, stub -> stub.evaluate(request));
    }

    /**
     * The answer of a call, within the deadline, which holds for all attempts together. A request with a {@code
     * request_id} may be repeated without a second decision on record.
     */
    <S extends AbstractBlockingStub<S>, A> A call(S stub, Duration deadline, Function<S, A> method)
            throws InterruptedException {
        long end = System.nanoTime() + deadline.toNanos();
        for (int attempt = 1; ; attempt++) {
            try {
                return method.apply(stub.withDeadlineAfter(end - System.nanoTime(), TimeUnit.NANOSECONDS));
            } catch (StatusRuntimeException error) {
                var pause = pause(Refusal.of(error), attempt);
                if (pause.isEmpty() || attempt == ATTEMPTS || System.nanoTime() + pause.get().toNanos() >= end) {
                    throw error;
                }
                TimeUnit.NANOSECONDS.sleep(pause.get().toNanos());
            }
        }
    }

    /**
     * How long to wait before a call is made again; empty where that would not help. gRPC's own retries don't read
     * RetryInfo, which is why there is no retry policy in the channel. A little more than was asked, so that not all
     * callers come back at once.
     */
    private static Optional<Duration> pause(Refusal why, int attempt) {
        var random = ThreadLocalRandom.current();
        if (why.retryAfter().isPresent()) {
            return why.retryAfter().map(delay -> Duration.ofNanos((long) (delay.toNanos() * random.nextDouble(1.0, 1.2))));
        }
        if (why.code() == Status.Code.UNAVAILABLE) {
            return Optional.of(Duration.ofMillis((long) ((100 << attempt) * random.nextDouble(0.5, 1.0))));
        }
        return Optional.empty();
    }

    /**
     * The answers to many requests, in their order. A refused item has a status in its place, and the stream goes on.
     */
    List<EvaluateStreamResponse> evaluateAll(List<EvaluateRequest> requests, Duration deadline) {
        var answers = new ArrayList<EvaluateStreamResponse>();
        var done = new CompletableFuture<List<EvaluateStreamResponse>>();
        var items = DecisionServiceGrpc.newStub(channel)
                .withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS)
                .evaluateStream(new StreamObserver<>() {
                    @Override
                    public void onNext(EvaluateStreamResponse answer) {
                        answers.add(answer);
                    }

                    @Override
                    public void onError(Throwable error) {
                        done.completeExceptionally(error);
                    }

                    @Override
                    public void onCompleted() {
                        done.complete(answers);
                    }
                });
        for (var request : requests) {
            items.onNext(EvaluateStreamRequest.newBuilder().setRequest(request).build());
        }
        items.onCompleted();
        try {
            return done.join();
        } catch (CompletionException wrapped) {
            throw (StatusRuntimeException) wrapped.getCause();
        }
    }

    @Override
    public void close() throws InterruptedException {
        channel.shutdown();
        channel.awaitTermination(5, TimeUnit.SECONDS);
    }
}
