// Vercel's AI SDK over one of two providers: the argument says which.
import { embedMany, generateObject, generateText, jsonSchema, streamText, tool } from 'ai';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';

const { BASE_URL: baseURL, API_KEY, MODEL, EMBEDDING_MODEL } = process.env;
const compatible = process.argv[2] === 'compatible';
const providerFor = (apiKey) => (compatible
  ? createOpenAICompatible({ name: 'keyplex', baseURL, apiKey, includeUsage: true, supportsStructuredOutputs: true })
  : createOpenAI({ baseURL, apiKey }));
const chat = (name = MODEL, apiKey = API_KEY) => (compatible ? providerFor(apiKey).chatModel(name) : providerFor(apiKey).chat(name));
const options = (more = {}) => ({ model: chat(), prompt: 'Hello', maxRetries: 0, ...more });
const schema = jsonSchema({ type: 'object', properties: { city: { type: 'string' }, celsius: { type: 'number' } }, required: ['city', 'celsius'], additionalProperties: false });
const tools = { get_weather: tool({ description: 'w', inputSchema: jsonSchema({ type: 'object', properties: { city: { type: 'string' } } }) }) };
const must = (truth, what) => { if (!truth) throw new Error(what); };
const feature = async (name, check) => {
  try {
    await check();
    console.log(JSON.stringify({ feature: name, ok: true }));
  } catch (error) {
    console.log(JSON.stringify({ feature: name, ok: false, detail: String(error?.stack ?? error).slice(0, 400) }));
  }
};
const status = async (promise) => promise.then(() => 200, (error) => error.statusCode);

await feature('chat', async () => {
  const done = await generateText(options());
  must(done.text === 'Hello from the oracle.' && done.usage.totalTokens === 13, `${done.text} ${JSON.stringify(done.usage)}`);
});
await feature('stream with usage', async () => {
  const stream = streamText(options());
  let text = '';
  for await (const piece of stream.textStream) text += piece;
  must(text === 'Hello from the oracle.', text);
  must((await stream.usage).totalTokens === 13, JSON.stringify(await stream.usage));
  must(await stream.finishReason === 'stop', await stream.finishReason);
});
await feature('tools', async () => {
  const done = await generateText(options({ tools }));
  must(done.toolCalls[0].input.city === 'Paris' && done.finishReason === 'tool-calls', JSON.stringify(done.toolCalls));
});
await feature('tools streamed', async () => {
  const stream = streamText(options({ tools }));
  await stream.consumeStream();
  must((await stream.toolCalls)[0].input.city === 'Paris', 'no call');
});
await feature('json schema', async () => must((await generateObject(options({ schema }))).object.city === 'Paris', 'no document'));
await feature('vision', async () => {
  const content = [{ type: 'text', text: '?' }, { type: 'image', image: 'data:image/png;base64,AAAA' }];
  const done = await generateText({ model: chat(), maxRetries: 0, messages: [{ role: 'user', content }] });
  must(done.text === 'A picture.', done.text);
});
await feature('embeddings', async () => {
  const model = compatible ? providerFor(API_KEY).embeddingModel(EMBEDDING_MODEL) : providerFor(API_KEY).embedding(EMBEDDING_MODEL);
  const { embeddings } = await embedMany({ model, values: ['a', 'b'], maxRetries: 0 });
  must(JSON.stringify(embeddings) === '[[0.5,-0.25,1],[0.5,-0.25,1]]', JSON.stringify(embeddings));
});
await feature('authentication error', async () => must(await status(generateText(options({ model: chat(MODEL, 'kpx_no') }))) === 401, 'no 401'));
await feature('unknown model', async () => must(await status(generateText(options({ model: chat('gpt-999') }))) === 404, 'no 404'));
await feature('broken stream raises', async () => {
  const errors = [];
  const stream = streamText(options({ model: chat('keyplex/midstream-error'), prompt: 'a long enough text', onError: ({ error }) => errors.push(error) }));
  await stream.consumeStream();
  must(errors.length > 0, 'no error');
});
