// Streams from each model with the official Node client; prints what each came to, as JSON.
import OpenAI from 'openai';

const [baseURL, apiKey, ...models] = process.argv.slice(2);
const client = new OpenAI({ apiKey, baseURL, maxRetries: 0 });
const messages = [{ role: 'user', content: 'Hello, who are you?' }];

async function outcome(model) {
  let finish = null;
  try {
    const stream = await client.chat.completions.create({ model, messages, stream: true, max_tokens: 100 });
    for await (const chunk of stream) finish = chunk.choices[0]?.finish_reason ?? finish;
  } catch (error) {
    return error.constructor.name;
  }
  return finish ?? 'silence';
}

const said = {};
for (const model of models) said[model] = await outcome(model);
console.log(JSON.stringify(said));
