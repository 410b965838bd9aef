// A client of Concord in TypeScript: deadlines, what may be asked again and when, and why a call was refused.
import * as grpc from "@grpc/grpc-js";
import { setTimeout as sleep } from "node:timers/promises";
import { DecisionServiceClient, type EvaluateRequest, type EvaluateResponse, type EvaluateStreamResponse } from "./gen/concord/v1/decision_service.js";
import { BadRequest, ErrorInfo, RetryInfo } from "./gen/google/rpc/error_details.js";
import { Status } from "./gen/google/rpc/status.js";

const ATTEMPTS = 4;

/** Why a call was refused, of `google.rpc.Status`. */
export interface Refusal {
  code: grpc.status;
  message: string;
  info: ErrorInfo;
  violations: { field: string; reason: string; description: string }[];
  retryAfterMs: number | null;
}

/** Reads the details of an error of a call. */
export function refusalOf(error: grpc.ServiceError): Refusal {
  const refusal: Refusal = { code: error.code, message: error.details, info: ErrorInfo.create(), violations: [], retryAfterMs: null };
  const [encoded] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!(encoded instanceof Uint8Array)) return refusal;
  for (const { typeUrl, value } of Status.decode(encoded).details) {
    switch (typeUrl) {
      case "type.googleapis.com/google.rpc.ErrorInfo":
        refusal.info = ErrorInfo.decode(value);
        break;
      case "type.googleapis.com/google.rpc.BadRequest":
        refusal.violations = BadRequest.decode(value).fieldViolations;
        break;
      case "type.googleapis.com/google.rpc.RetryInfo": {
        const delay = RetryInfo.decode(value).retryDelay;
        refusal.retryAfterMs = delay ? delay.seconds * 1000 + delay.nanos / 1e6 : null;
        break;
      }
    }
  }
  return refusal;
}

/**
 * Milliseconds until a call may be made again; undefined where that would not help. gRPC's own retries don't read
 * `RetryInfo`, which is why they are off in the channel. A little more than was asked, so that not all callers come back
 * at once.
 */
function pause(why: Refusal, attempt: number): number | undefined {
  if (why.retryAfterMs !== null) return why.retryAfterMs * (1 + 0.2 * Math.random());
  if (why.code === grpc.status.UNAVAILABLE) return 100 * 2 ** attempt * (0.5 + 0.5 * Math.random());
  return undefined;
}

/** A unary method of a stub. */
type Method<Q, A> = (request: Q, metadata: grpc.Metadata, options: grpc.CallOptions, done: (error: grpc.ServiceError | null, answer: A) => void) => unknown;

/**
 * The answer of a method, within the deadline, which holds for all attempts together. A request with a `requestId` may
 * be repeated without a second decision on record.
 */
export async function call<Q, A>(method: Method<Q, A>, request: Q, deadlineMs: number): Promise<A> {
  const deadline = Date.now() + deadlineMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await new Promise<A>((resolve, reject) =>
        method(request, new grpc.Metadata(), { deadline }, (error, answer) => (error ? reject(error) : resolve(answer))),
      );
    } catch (error) {
      const wait = pause(refusalOf(error as grpc.ServiceError), attempt);
      if (wait === undefined || attempt === ATTEMPTS || Date.now() + wait >= deadline) throw error;
      await sleep(wait);
    }
  }
}

/** Of every stub: see `pause`. */
export const OPTIONS: grpc.ClientOptions = { "grpc.enable_retries": 0 };

/** The decision service at an address. */
export class Concord {
  readonly #decisions: DecisionServiceClient;

  constructor(address: string) {
    this.#decisions = new DecisionServiceClient(address, grpc.credentials.createInsecure(), OPTIONS);
  }

  /** The answer to one request. */
  evaluate(request: EvaluateRequest, deadlineMs = 10_000): Promise<EvaluateResponse> {
    return call(this.#decisions.evaluate.bind(this.#decisions), request, deadlineMs);
  }

  /** The answers to many requests, in their order. A refused item has a status in its place, and the stream goes on. */
  async *evaluateAll(requests: EvaluateRequest[], deadlineMs = 10_000): AsyncGenerator<EvaluateStreamResponse> {
    const stream = this.#decisions.evaluateStream({ deadline: Date.now() + deadlineMs });
    for (const request of requests) stream.write({ request });
    stream.end();
    yield* stream;
  }

  close(): void {
    this.#decisions.close();
  }
}
