// Moments are in Unix seconds where they are numbers. Fields are only ever added.
import OpenAI, { type ClientOptions } from "openai";
import { APIPromise, PagePromise } from "openai";
import { CursorPage } from "openai/pagination";

export {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  InvalidWebhookSignatureError,
  OpenAIError,
} from "openai";

type RequestOptions = NonNullable<Parameters<OpenAI["get"]>[1]>;

export interface Limit {
  object: "limit";
  scope: string;
  unit: string;
  window: string;
  /** A soft limit refuses nothing. */
  soft: boolean;
  limit: number;
  used: number;
  remaining: number;
  reset: number | null;
}

export interface Limits {
  object: "list";
  data: Limit[];
}

/** What a key may do; of the lists, null means everything, and of the moments, never. */
export interface Key {
  object: "key";
  id: number;
  name: string;
  hint: string;
  environment: string;
  scopes: string[];
  models: string[] | null;
  endpoints: string[] | null;
  networks: string[] | null;
  created: number;
  expires: number | null;
  rotated: number | null;
  last_used: number | null;
  account: { id: number; name: string };
  plan: {
    id: string;
    name: string;
    status: string;
    period_start: number | null;
    period_end: number | null;
  };
  limits: Limit[];
}

export interface UsageQuery {
  /** A date or a date with a time, in ISO 8601; Unix seconds; or a Date. */
  start?: string | number | Date;
  end?: string | number | Date;
  api_key_id?: number;
  model?: string;
  endpoint?: string;
  group_by?: string;
}

/** One of what was grouped by: that name holds which, the others are absent. */
export interface UsageGroup {
  requests: number;
  tokens: number;
  prompt_tokens: number;
  completion_tokens: number;
  api_key_id?: number;
  endpoint?: string;
  end_user?: string | null;
  start?: string;
}

export interface Usage {
  object: "usage";
  /** ISO 8601, in UTC. */
  period: { start: string; end: string };
  data: {
    total_requests: number;
    total_tokens: number;
    prompt_tokens: number;
    completion_tokens: number;
    models: Record<string, { requests: number; tokens: number }>;
  };
  /** There if something else than the model was to be grouped by. */
  groups?: UsageGroup[];
}

/** A limit as the request met it: `used` by others before, `remaining` after it. */
export interface CheckedLimit {
  scope: string;
  unit: string;
  window: string;
  soft: boolean;
  limit: number;
  used: number;
  asked: number;
  remaining: number;
  exceeded: boolean;
  reset: number | null;
  passes_at: number | null;
}

/** Why a request went as it did. */
export interface Explanation {
  object: "explanation";
  request_id: string;
  created: number;
  endpoint: string;
  model: string | null;
  requested_model: string | null;
  api_key_id: number;
  status: number;
  outcome: string;
  meaning: string;
  error: { type: string; code: string | null; message: string } | null;
  limits: CheckedLimit[];
  passes: boolean;
  passes_at: number | null;
  tokens_that_would_fit: number | null;
  routes: { provider: string; outcome: string }[];
  translated_to_chat: boolean;
  left_out: string[];
  usage: {
    prompt_tokens: number;
    completion_tokens: number;
    total_tokens: number;
    source: string;
  };
  latency_ms: number | null;
  time_to_first_token_ms: number | null;
}

/** Something that happened to the account; `data` depends on `type`. */
export interface Event {
  id: string;
  type: string;
  created: number;
  data: Record<string, unknown>;
  sequence: number;
  /** True of those that were sent from the page of an endpoint. */
  test?: boolean;
}

export interface EventQuery {
  /** The id of the last event that is known. */
  after?: string;
  /** How many on one page. */
  limit?: number;
  type?: string;
}

/** Some events, the oldest first. To iterate goes on to the last event there is. */
export class EventPage extends CursorPage<Event> {
  /** What to say as `after` the next time. */
  next: string | null;
}

export interface KeyplexOptions extends Omit<ClientOptions, "apiKey"> {
  /** Where Keyplex is, such as https://keyplex.example/v1; else KEYPLEX_BASE_URL says it. */
  baseURL?: string;
  /** Else KEYPLEX_API_KEY says it. */
  apiKey?: ClientOptions["apiKey"];
}

/** A client of Keyplex: everything of OpenAI's, and usage, limits, key and events. */
export class Keyplex extends OpenAI {
  constructor(options?: KeyplexOptions);

  usage: {
    /** What the account used, in whole hours; from the beginning of the billing period. */
    retrieve(query?: UsageQuery, options?: RequestOptions): APIPromise<Usage>;
  };
  limits: {
    /** Every limit, with what is used and left of it. To ask uses nothing. */
    retrieve(options?: RequestOptions): APIPromise<Limits>;
  };
  key: {
    /** What the key of this client may do, for whom, and on which plan. */
    retrieve(options?: RequestOptions): APIPromise<Key>;
  };
  events: {
    /** What happened to the account, in order. */
    list(query?: EventQuery, options?: RequestOptions): PagePromise<EventPage, Event>;
  };
  /** Why a request of the account went as it did. */
  explain(requestId: string, options?: RequestOptions): APIPromise<Explanation>;
}
export default Keyplex;

export interface RateLimit {
  limit: number;
  remaining: number;
  /** When the window is empty again if nothing else comes; null for never. */
  reset: Date | null;
}

/** By name: `requests` and `tokens` are per minute, `tokens-day` and so on per day. */
export function rateLimits(headers: Headers): Record<string, RateLimit>;

interface Known {
  /** In how many seconds to try again, where that helps and is known. */
  readonly retryAfter: number | null;
  readonly rateLimits: Record<string, RateLimit>;
  /** Whose limit is the tightest: of the "account", or the "key"'s own. */
  readonly rateLimitScope: string | null;
}

export interface BadRequestError extends Known {}
export class BadRequestError extends OpenAI.BadRequestError {}
/** The prompt is longer than the model's context window. */
export class ContextLengthError extends BadRequestError {}
export interface AuthenticationError extends Known {}
export class AuthenticationError extends OpenAI.AuthenticationError {}
export interface PermissionDeniedError extends Known {}
export class PermissionDeniedError extends OpenAI.PermissionDeniedError {}
export interface NotFoundError extends Known {}
export class NotFoundError extends OpenAI.NotFoundError {}
export interface ConflictError extends Known {}
export class ConflictError extends OpenAI.ConflictError {}
export interface UnprocessableEntityError extends Known {}
export class UnprocessableEntityError extends OpenAI.UnprocessableEntityError {}
export interface RateLimitError extends Known {}
export class RateLimitError extends OpenAI.RateLimitError {}
export interface InternalServerError extends Known {}
export class InternalServerError extends OpenAI.InternalServerError {}
/** No provider could serve the model just now. */
export class ModelError extends InternalServerError {}

type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

export namespace webhooks {
  /**
   * The event, if one signature in `webhook-signature` is right and made just now.
   * Throws InvalidWebhookSignatureError.
   */
  function verify(
    body: string | Uint8Array,
    headers: WebhookHeaders,
    secret: string,
    options?: { tolerance?: number },
  ): Event;

  /**
   * The event, if `X-Keyplex-Signature` is right, which covers the body alone: remember the ids of
   * the events that you took. Throws InvalidWebhookSignatureError.
   */
  function verifyBody(body: string | Uint8Array, headers: WebhookHeaders, secret: string): Event;
}
