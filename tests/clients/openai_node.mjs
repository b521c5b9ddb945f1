// Walks the official Node client through the gateway; prints what each call came to, as JSON.
import OpenAI from 'openai';

const [baseURL, key, reader, limited] = process.argv.slice(2);
const messages = [{ role: 'user', content: 'Hello, world!' }];
const clientFor = (apiKey) => new OpenAI({ apiKey, baseURL, maxRetries: 0 });
const ask = (apiKey, more = {}) =>
  clientFor(apiKey).chat.completions.create({ model: 'keyplex/echo', messages, ...more });
const nameOf = async (promise) => promise.then(() => 'no error', (error) => error.constructor.name);

const chat = await ask(key);
let streamed = '';
for await (const chunk of await ask(key, { stream: true })) {
  streamed += chunk.choices[0].delta.content ?? '';
}
const models = [];
for await (const model of clientFor(key).models.list()) models.push(model.id);
await ask(limited);

console.log(JSON.stringify({
  chat: chat.choices[0].message.content,
  streamed,
  models,
  wrongKey: await nameOf(ask('kpx_wrong')),
  missingScope: await nameOf(ask(reader)),
  overTheLimit: await nameOf(ask(limited)),
}));
