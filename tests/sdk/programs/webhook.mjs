// Reads a webhook's body from its input; says what the JavaScript SDK makes of it, as JSON.
import { readFileSync } from 'node:fs';

import { InvalidWebhookSignatureError, webhooks } from '../../../sdk/js/index.js';

const [name, headers, secret] = process.argv.slice(2);
const verify = {
  verify: webhooks.verify,
  verify_body: webhooks.verifyBody,
  verify_within_an_hour: (...given) => webhooks.verify(...given, { tolerance: 3600 }),
}[name];

let verdict;
try {
  const event = verify(readFileSync(0), JSON.parse(headers), secret);
  verdict = { id: event.id, name: event.data.name };
} catch (error) {
  verdict = error instanceof InvalidWebhookSignatureError ? error.constructor.name : 'no secret';
  if (verdict === 'no secret' && !(error instanceof TypeError)) throw error;
}
console.log(JSON.stringify(verdict));
