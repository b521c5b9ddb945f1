import { createHmac, timingSafeEqual } from "node:crypto";

const TOLERANCE = 5 * 60; // seconds

// Whether X-Keyplex-Signature, or X-Keyplex-Signature-Previous, is right for this body, a Buffer.
export function verifyWebhook(body, signature, secret) {
  const digest = createHmac("sha256", secret).update(body).digest("hex");
  return same(`sha256=${digest}`, signature);
}

// Whether one signature in webhook-signature is right, and made within five minutes.
export function verifyStandard(body, headers, secret) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (!/^[0-9]{1,14}$/.test(timestamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const hmac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
  const expected = `v1,${hmac.digest("base64")}`;
  const given = (headers["webhook-signature"] ?? "").split(" ");
  return given.some((one) => same(expected, one));
}

function same(expected, given) {
  const a = Buffer.from(expected);
  const b = Buffer.from(given ?? "");
  return a.length === b.length && timingSafeEqual(a, b);
}
