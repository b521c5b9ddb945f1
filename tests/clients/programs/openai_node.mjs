// The official Node client, old and new: the package's name is the argument.
const { default: OpenAI } = await import(process.argv[2]);
const { BASE_URL: baseURL, API_KEY, READER_KEY, LIMITED_KEY, MODEL: model, EMBEDDING_MODEL } = process.env;
const clientFor = (apiKey) => new OpenAI({ apiKey, baseURL, maxRetries: 0 });
const client = clientFor(API_KEY);
const HELLO = [{ role: 'user', content: 'Hello' }];
const tools = [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: {} } } }];
const create = (more = {}, from = client) => from.chat.completions.create({ model, messages: HELLO, ...more });
const must = (truth, what) => { if (!truth) throw new Error(what); };
const text = async (stream) => {
  let whole = '';
  for await (const chunk of stream) whole += chunk.choices[0].delta.content ?? '';
  return whole;
};
const raises = async (name, promise) => promise.then(
  () => { throw new Error(`no ${name}`); },
  (error) => must(error.constructor.name === name, `${error.constructor.name}: ${error.message}`),
);
const feature = async (name, check) => {
  try {
    await check();
    console.log(JSON.stringify({ feature: name, ok: true }));
  } catch (error) {
    console.log(JSON.stringify({ feature: name, ok: false, detail: String(error).slice(0, 300) }));
  }
};

await feature('chat', async () => {
  const done = await create();
  must(done.choices[0].message.content === 'Hello from the oracle.' && done.usage.total_tokens === 13, 'another answer');
});
await feature('stream', async () => must(await text(await create({ stream: true })) === 'Hello from the oracle.', 'another text'));
await feature('stream helper', async () => {
  const done = await client.chat.completions.stream({ model, messages: HELLO }).finalContent();
  must(done === 'Hello from the oracle.', done);
});
await feature('tools', async () => {
  const done = await create({ tools });
  must(JSON.parse(done.choices[0].message.tool_calls[0].function.arguments).city === 'Paris', 'no call');
});
await feature('tools streamed', async () => {
  const done = await client.chat.completions.stream({ model, messages: HELLO, tools }).finalMessage();
  must(JSON.parse(done.tool_calls[0].function.arguments).city === 'Paris', 'no call');
});
await feature('json schema', async () => {
  const done = await create({ response_format: { type: 'json_schema', json_schema: { name: 'w', schema: { type: 'object' } } } });
  must(JSON.parse(done.choices[0].message.content).city === 'Paris', 'no document');
});
await feature('vision', async () => {
  const content = [{ type: 'text', text: '?' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }];
  must((await create({ messages: [{ role: 'user', content }] })).choices[0].message.content === 'A picture.', 'no picture');
});
await feature('embeddings', async () => {
  for (const more of [{}, { encoding_format: 'float' }]) {
    const made = await client.embeddings.create({ model: EMBEDDING_MODEL, input: 'a', ...more });
    must(JSON.stringify(Array.from(made.data[0].embedding)) === '[0.5,-0.25,1]', JSON.stringify(made.data[0].embedding));
  }
});
await feature('completions', async () => must((await client.completions.create({ model, prompt: 'Hello' })).choices[0].text === 'Hello from the oracle.', 'another text'));
await feature('models', async () => must((await client.models.retrieve(model)).id === model, 'another model'));
await feature('authentication error', () => raises('AuthenticationError', create({}, clientFor('kpx_no'))));
await feature('permission error', () => raises('PermissionDeniedError', create({}, clientFor(READER_KEY))));
await feature('unknown model', () => raises('NotFoundError', create({ model: 'gpt-999' })));
await feature('rate limit error', async () => {
  await create({}, clientFor(LIMITED_KEY));
  await raises('RateLimitError', create({}, clientFor(LIMITED_KEY)));
});
await feature('broken stream raises', () => raises('APIError', create({ model: 'keyplex/midstream-error', stream: true, messages: [{ role: 'user', content: 'a long enough text' }] }).then(text)));
await feature('context overflow', () => raises('BadRequestError', create({ messages: [{ role: 'user', content: 'x'.repeat(40000) }] })));
