// The errors of the OpenAI client, with what Keyplex says beside the words.
//
//     OpenAI.APIError
//     ├── BadRequestError            400
//     │   └── ContextLengthError     400  the prompt is too long for the model
//     ├── AuthenticationError        401
//     ├── PermissionDeniedError      403
//     ├── NotFoundError              404
//     ├── ConflictError              409
//     ├── UnprocessableEntityError   422
//     ├── RateLimitError             429
//     └── InternalServerError        500 and more
//         └── ModelError             503  nobody could serve the model just now
//
// Each is the OpenAI error of its name as well: `instanceof OpenAI.RateLimitError` holds.
import OpenAI from "openai";

import { rateLimits } from "./rate-limits.js";

const knowing = (Base) =>
  class extends Base {
    // In how many seconds to try again, where that helps and is known.
    get retryAfter() {
      const told = this.headers?.get("retry-after") ?? "";
      return /^\d+(\.\d+)?$/.test(told) ? Number(told) : null;
    }

    get rateLimits() {
      return rateLimits(this.headers ?? new Headers());
    }

    // Whose limit is the tightest: of the "account", or the "key"'s own.
    get rateLimitScope() {
      return this.headers?.get("x-ratelimit-scope") ?? null;
    }
  };

export class BadRequestError extends knowing(OpenAI.BadRequestError) {}
export class ContextLengthError extends BadRequestError {}
export class AuthenticationError extends knowing(OpenAI.AuthenticationError) {}
export class PermissionDeniedError extends knowing(OpenAI.PermissionDeniedError) {}
export class NotFoundError extends knowing(OpenAI.NotFoundError) {}
export class ConflictError extends knowing(OpenAI.ConflictError) {}
export class UnprocessableEntityError extends knowing(OpenAI.UnprocessableEntityError) {}
export class RateLimitError extends knowing(OpenAI.RateLimitError) {}
export class InternalServerError extends knowing(OpenAI.InternalServerError) {}
export class ModelError extends InternalServerError {}

const OF_TYPE = { context_length_error: ContextLengthError, model_error: ModelError };
const OF_CLASS = new Map([
  [OpenAI.BadRequestError, BadRequestError],
  [OpenAI.AuthenticationError, AuthenticationError],
  [OpenAI.PermissionDeniedError, PermissionDeniedError],
  [OpenAI.NotFoundError, NotFoundError],
  [OpenAI.ConflictError, ConflictError],
  [OpenAI.UnprocessableEntityError, UnprocessableEntityError],
  [OpenAI.RateLimitError, RateLimitError],
  [OpenAI.InternalServerError, InternalServerError],
]);

// The same error, of the class of ours that says most. `message` is what there is without a body.
export function ours(error, message) {
  const Kind = OF_TYPE[error.type] ?? OF_CLASS.get(error.constructor);
  return Kind ? new Kind(error.status, error.error, message, error.headers) : error;
}
