// Walks the JavaScript SDK through a running site; prints what each call came to, as JSON.
import OpenAI from 'openai';

const [sdk, baseURL, request, ...keys] = process.argv.slice(2);
const { Keyplex, rateLimits, ...errors } = await import(sdk);
const clientFor = (apiKey) => new Keyplex({ apiKey, baseURL, maxRetries: 0 });
const [owner, colleague, stranger, hasty] = keys.map(clientFor);
const model = 'keyplex/echo';
const messages = [{ role: 'user', content: 'Hello, world!' }];
const chat = (client, more = {}) => client.chat.completions.create({ model, messages, ...more });
const failing = async (promise) =>
  promise.then(() => 'no error', (error) => {
    const { type, code, requestID } = error;
    const known = error instanceof errors[error.constructor.name];
    return { name: error.constructor.name, known, type, code, requestID };
  });

const whole = await chat(owner);
let streamed = '';
for await (const chunk of await chat(owner, { stream: true })) {
  streamed += chunk.choices[0].delta.content ?? '';
}
const vectors = await owner.embeddings.create({ model: 'keyplex/embedding', input: ['a', 'b'] });

const events = [];
for await (const event of owner.events.list({ limit: 1 })) events.push(event.type);
const page = await owner.events.list({ limit: 1 });

const { response } = await chat(hasty).withResponse();
const limited = await chat(hasty).catch((error) => error);

const tomorrow = new Date(Date.now() + 24 * 60 * 60 * 1000);
process.env.KEYPLEX_BASE_URL = baseURL;
process.env.KEYPLEX_API_KEY = keys[0];
process.env.OPENAI_ORG_ID = process.env.OPENAI_ADMIN_KEY = 'sk-of-openai';
process.env.OPENAI_CUSTOM_HEADERS = 'Authorization: Bearer sk-of-openai';
let sent = '';
const listening = (url, init) => {
  sent = [...new Headers(init.headers)].join();
  return fetch(url, init);
};
const ambient = new Keyplex({ fetch: listening, defaultHeaders: { mine: 'mine' } }).withOptions({ timeout: 9000 });
const ambientKey = (await ambient.key.retrieve()).id;
delete process.env.KEYPLEX_BASE_URL;
const nowhere = await failing((async () => new Keyplex())());
process.env.KEYPLEX_BASE_URL = baseURL;
delete process.env.KEYPLEX_API_KEY;
const nobody = await failing((async () => new Keyplex())());

console.log(JSON.stringify({
  isOpenAI: owner instanceof OpenAI && limited instanceof OpenAI.RateLimitError,
  chat: whole.choices[0].message.content,
  streamed,
  vectors: vectors.data.length,
  events,
  next: page.next === page.data[0].id && page.has_more,
  usage: (await owner.usage.retrieve()).data.total_requests,
  usageOfKeys: (await owner.usage.retrieve({ group_by: 'api_key' })).groups.length,
  usageTomorrow: (await owner.usage.retrieve({ start: tomorrow, end: tomorrow })).data.total_requests,
  usageOfStranger: (await stranger.usage.retrieve()).data.total_requests,
  limits: (await owner.limits.retrieve()).data.map(({ unit, window }) => `${unit}/${window}`),
  key: (await colleague.key.retrieve()).scopes,
  ambientKey,
  sent: /mine,mine/.test(sent) && sent.includes(keys[0]) && !sent.includes('sk-of-openai'),
  nowhere,
  nobody,
  explained: (await owner.explain(request)).usage.total_tokens,
  explainedToColleague: await failing(colleague.explain(request)),
  explainedToStranger: await failing(stranger.explain(request)),
  usageOfColleague: await failing(colleague.usage.retrieve()),
  eventsOfColleague: await failing(colleague.events.list()),
  wrongKey: await failing(chat(clientFor('kpx_wrong'))),
  badValue: await failing(chat(owner, { temperature: 3 })),
  tooLong: await failing(chat(owner, { messages: [{ role: 'user', content: 'word '.repeat(40_000) }] })),
  noModel: await failing(chat(owner, { model: 'keyplex/503' })),
  limited: await failing(Promise.reject(limited)),
  message: limited.message,
  retryAfter: limited.retryAfter,
  scope: limited.rateLimitScope,
  left: limited.rateLimits.requests,
  leftBefore: rateLimits(response.headers).requests,
}));
