// Whether a webhook comes from Keyplex, unchanged and just now; and what it tells.
//
// Verify the bytes that came, before anything parses them: `express.raw(…)`, `request.text()`.
import { createHmac, timingSafeEqual } from "node:crypto";

import { InvalidWebhookSignatureError } from "openai";

const TOLERANCE = 5 * 60; // seconds
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;

// The event, if one signature in `webhook-signature` is right and made just now. It covers the id
// of the event and the moment too. After a rotation either secret is fine for 24 hours. Throws
// InvalidWebhookSignatureError; TypeError for what is no secret, or no body, at all.
export function verify(body, headers, secret, { tolerance = TOLERANCE } = {}) {
  const id = header(headers, "webhook-id");
  const timestamp = header(headers, "webhook-timestamp");
  if (!/^\d{1,14}$/.test(timestamp)) {
    throw new InvalidWebhookSignatureError("There is no webhook-timestamp in Unix seconds.");
  }
  const hmac = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.`).update(body);
  const expected = `v1,${hmac.digest("base64")}`;
  if (!header(headers, "webhook-signature").split(" ").some((one) => same(expected, one))) {
    throw new InvalidWebhookSignatureError("No signature in webhook-signature fits this secret.");
  }
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > tolerance) {
    throw new InvalidWebhookSignatureError("The webhook was not signed just now.");
  }
  return eventOf(body);
}

// The event, if `X-Keyplex-Signature` is right: for what lets no other header through. It covers
// the body alone, so whoever has recorded a request can send it again at any time: remember the
// ids of the events that you took. Throws as `verify` does.
export function verifyBody(body, headers, secret) {
  keyOf(secret);
  const expected = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const names = ["x-keyplex-signature", "x-keyplex-signature-previous"];
  if (!names.some((name) => same(expected, header(headers, name)))) {
    throw new InvalidWebhookSignatureError("X-Keyplex-Signature does not fit this secret.");
  }
  return eventOf(body);
}

const eventOf = (body) => JSON.parse(Buffer.from(body).toString());

// With an empty key, anybody could sign.
function keyOf(secret) {
  const [, key] = SECRET.exec(secret ?? "") ?? [];
  if (!key) throw new TypeError("The secret of a webhook is whsec_ and a text in base 64.");
  return Buffer.from(key, "base64");
}

// From a Headers object, or a plain one such as that of a request in Node.
function header(headers, name) {
  if (typeof headers.get === "function") return headers.get(name) ?? "";
  const found = Object.keys(headers).find((key) => key.toLowerCase() === name);
  return found ? String(headers[found]) : "";
}

function same(expected, given) {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
