// Keyplex for JavaScript: the OpenAI client, with what Keyplex has beside it.
//
// `Keyplex` is OpenAI's client, so everything that takes one of those takes one of these. The
// errors are OpenAI's too, and know when to try again and what is left.
import OpenAI, { OpenAIError } from "openai";
import { CursorPage } from "openai/pagination";

import { ours } from "./errors.js";

export {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  InvalidWebhookSignatureError,
  OpenAIError,
} from "openai";
export {
  AuthenticationError,
  BadRequestError,
  ConflictError,
  ContextLengthError,
  InternalServerError,
  ModelError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError,
} from "./errors.js";
export { rateLimits } from "./rate-limits.js";
export * as webhooks from "./webhooks.js";

// Some events, the oldest first. To iterate goes on to the last event there is.
export class EventPage extends CursorPage {
  constructor(client, response, body, options) {
    super(client, response, body, options);
    this.next = body.next ?? null;
  }
}

class Usage {
  #client;

  constructor(client) {
    this.#client = client;
  }

  retrieve(query = {}, options = {}) {
    return this.#client.get("/usage", { query: written(query), ...options });
  }
}

class Limits {
  #client;

  constructor(client) {
    this.#client = client;
  }

  retrieve(options = {}) {
    return this.#client.get("/limits", options);
  }
}

class Key {
  #client;

  constructor(client) {
    this.#client = client;
  }

  retrieve(options = {}) {
    return this.#client.get("/key", options);
  }
}

class Events {
  #client;

  constructor(client) {
    this.#client = client;
  }

  list(query = {}, options = {}) {
    return this.#client.getAPIList("/events", EventPage, { query: written(query), ...options });
  }
}

// What the environment says for OpenAI is not sent to Keyplex.
const NOT_OURS = { organization: null, project: null, adminAPIKey: null };

export class Keyplex extends OpenAI {
  usage = new Usage(this);
  limits = new Limits(this);
  key = new Key(this);
  events = new Events(this);

  constructor({
    baseURL = process.env.KEYPLEX_BASE_URL,
    apiKey = process.env.KEYPLEX_API_KEY,
    ...options
  } = {}) {
    if (!baseURL) {
      throw new OpenAIError(
        "Where is Keyplex? Give baseURL, or set KEYPLEX_BASE_URL, to an address such as " +
          "https://keyplex.example/v1.",
      );
    }
    if (!apiKey) {
      throw new OpenAIError("The API key is missing. Give apiKey, or set KEYPLEX_API_KEY.");
    }
    super({ ...options, ...NOT_OURS, baseURL, apiKey });
    this._options.defaultHeaders = options.defaultHeaders; // and not OPENAI_CUSTOM_HEADERS
  }

  explain(requestId, options = {}) {
    return this.get(`/explain/${encodeURIComponent(requestId)}`, options);
  }

  makeStatusError(status, error, message, headers) {
    return ours(super.makeStatusError(status, error, message, headers), message);
  }
}

export default Keyplex;

// Moments may be Dates; the interface takes ISO 8601.
function written(query) {
  const write = (value) => (value instanceof Date ? value.toISOString() : value);
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, write(value)]));
}
