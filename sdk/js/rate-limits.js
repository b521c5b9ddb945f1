// What the X-RateLimit-… headers say, which come with refusals and answers alike.

const LIMIT = "x-ratelimit-limit-";

// By name: `requests` and `tokens` are per minute, `tokens-day` and so on per day. `reset` is when
// the window is empty again if nothing else comes, a Date; or null for never. What is not told in
// whole numbers is left out.
export function rateLimits(headers) {
  const found = {};
  for (const [header, value] of headers) {
    if (!header.startsWith(LIMIT)) continue;
    const name = header.slice(LIMIT.length);
    const [limit, remaining, reset] = [
      value,
      headers.get(`x-ratelimit-remaining-${name}`),
      headers.get(`x-ratelimit-reset-${name}`),
    ].map(whole);
    if (limit === null || remaining === null) continue;
    found[name] = { limit, remaining, reset: reset === null ? null : new Date(reset * 1000) };
  }
  return found;
}

const whole = (text) => (/^\d+$/.test(text ?? "") ? Number(text) : null);
