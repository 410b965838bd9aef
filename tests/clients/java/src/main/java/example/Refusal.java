package example;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Durations;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Why a call was refused, of {@code google.rpc.Status}. */
record Refusal(
        Status.Code code, String message, ErrorInfo info, List<FieldViolation> violations, Optional<Duration> retryAfter) {

    static Refusal of(StatusRuntimeException error) {
        var info = ErrorInfo.getDefaultInstance();
        var violations = List.<FieldViolation>of();
        var retryAfter = Optional.<Duration>empty();
        try {
            for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
                if (detail.is(ErrorInfo.class)) {
                    info = detail.unpack(ErrorInfo.class);
                } else if (detail.is(BadRequest.class)) {
                    violations = detail.unpack(BadRequest.class).getFieldViolationsList();
                } else if (detail.is(RetryInfo.class)) {
                    var delay = detail.unpack(RetryInfo.class).getRetryDelay();
                    retryAfter = Optional.of(Duration.ofMillis(Durations.toMillis(delay)));
                }
            }
        } catch (InvalidProtocolBufferException unreadable) {
            // The code says enough for a decision; details are for people.
        }
        var status = error.getStatus();
        return new Refusal(
                status.getCode(), Optional.ofNullable(status.getDescription()).orElse(""), info, violations, retryAfter);
    }
}
