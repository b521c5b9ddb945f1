// The Playground with a script: answers appear token by token, and can be stopped. What a model says
// is put into the page as text, never as markup.
const form = document.getElementById('playground');
const columns = document.getElementById('columns');
const send = document.getElementById('send');
const stop = document.getElementById('stop');
const message = form.elements.message;
const hidden = ['past', 'past_beside'];
const limitOf = 'x-ratelimit-remaining-';
const ENDED = 'Your session has ended. Reload this page to sign in again.';
const REFUSED = 'This was refused before it reached the API. Reload this page, or begin a new conversation.';
let running = null;

const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const number = new Intl.NumberFormat('en');
const duration = (ms) => (ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);

// The data of each server-sent event, as it comes; comments are signs of life.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const lines = rest.split('\n');
    rest = lines.pop();
    for (const line of lines) if (line.startsWith('data: ')) yield line.slice(6);
  }
}

// What the API says, piece by piece: text, usage, finish_reason, error.
async function* said(response) {
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/event-stream')) {
    for await (const data of events(response.body)) if (data !== '[DONE]') yield JSON.parse(data);
  } else if (type.startsWith('application/json')) {
    yield await response.json();
  } else {
    yield { error: { code: `${response.status}`, message: response.redirected ? ENDED : REFUSED } };
  }
}

function columnOf(place, model) {
  const column = columns.children[place] ?? columns.appendChild(copyOf('column-of-model'));
  column.querySelector('[data-model]').textContent = model;
  column.setAttribute('aria-label', model);
  return column;
}

function speak(column, role, content) {
  const item = copyOf('message-of-column');
  item.className = `said said-${role}`;
  item.querySelector('[data-role]').textContent = role;
  item.querySelector('[data-content]').textContent = content;
  column.querySelector('[data-talk]').append(item);
  return item;
}

function factsOf(column) {
  const facts = copyOf('facts-of-answer');
  column.querySelector('[data-facts]').replaceChildren(facts);
  return { say: (name, text) => { facts.querySelector(`[data-${name}]`).textContent = text; }, facts };
}

function tellHead({ say, facts }, response) {
  const headers = [...response.headers].filter(([name]) => /^(x-|ratelimit|retry-after)/.test(name));
  const left = headers.filter(([name]) => name.startsWith(limitOf));
  say('status', response.status);
  say('headers', headers.map((pair) => pair.join(': ')).join('\n'));
  say('left', left.map(([name, value]) => {
    const what = name.slice(limitOf.length);
    return `${number.format(value)} of ${number.format(response.headers.get(`x-ratelimit-limit-${what}`))} ${what}`;
  }).join(', ') || '–');
  const id = response.headers.get('x-request-id') ?? '';
  say('id', id);
  for (const link of facts.querySelectorAll('a[data-log]')) link.href = form.dataset.log.replace('req_', id);
}

function tellError({ say, facts }, error) {
  facts.querySelector('[data-error]').hidden = false;
  say('code', error.code ?? '');
  say('why', error.message);
}

// One question to one model; the text that came, even where it was stopped.
async function ask(data, place, signal) {
  const column = columnOf(place, data.get('model'));
  speak(column, 'user', data.get('message'));
  const answer = speak(column, 'assistant', '');
  const text = answer.querySelector('[data-content]');
  const told = factsOf(column);
  const began = performance.now();
  answer.classList.add('said-running');
  try {
    const response = await fetch(form.dataset.stream, { method: 'POST', body: data, signal });
    tellHead(told, response);
    for await (const piece of said(response)) {
      const choice = piece.choices?.[0];
      const words = choice?.delta?.content ?? choice?.message?.content ?? '';
      if (words && !text.textContent) told.say('first', duration(performance.now() - began));
      text.append(words);
      if (choice?.finish_reason === 'length') told.facts.querySelector('[data-cut]').hidden = false;
      if (piece.error) tellError(told, piece.error);
      if (piece.usage) {
        const { prompt_tokens: prompt, completion_tokens: completion } = piece.usage;
        told.say('tokens', `${number.format(prompt + completion)} (${number.format(prompt)} prompt + ${number.format(completion)} completion)`);
      }
    }
  } catch (trouble) {
    const stopped = trouble.name === 'AbortError';
    tellError(told, stopped
      ? { code: 'stopped', message: 'You stopped it. What had come by then is charged.' }
      : { code: 'no_answer', message: 'The connection broke.' });
  }
  told.say('took', duration(performance.now() - began));
  answer.classList.remove('said-running');
  if (!text.textContent) answer.remove();
  return text.textContent;
}

// What each column is sent: its model, and what was said in it before.
function questions() {
  return hidden.flatMap((past, place) => {
    const data = new FormData(form);
    const model = data.get(place ? 'beside' : 'model');
    if (!model) return [];
    data.set('model', model);
    data.set('past', data.get(past));
    data.delete('beside');
    data.delete('past_beside');
    return [data];
  });
}

function remember(past, words, answer) {
  if (!answer) return;
  const turns = JSON.parse(form.elements[past].value || '[]');
  turns.push({ role: 'user', content: words }, { role: 'assistant', content: answer });
  form.elements[past].value = JSON.stringify(turns);
}

form.addEventListener('submit', async (event) => {
  if (event.submitter && event.submitter !== send) return;
  event.preventDefault();
  if (running) return;
  running = new AbortController();
  const asked = questions();
  while (columns.children.length > asked.length) columns.lastElementChild.remove();
  send.disabled = true;
  stop.hidden = false;
  const answers = await Promise.all(asked.map((data, place) => ask(data, place, running.signal)));
  running = null;
  send.disabled = false;
  stop.hidden = true;
  answers.forEach((answer, place) => remember(hidden[place], asked[place].get('message'), answer));
  if (answers.every(Boolean)) message.value = '';
  message.focus();
  htmx.ajax('POST', form.dataset.code, { target: '#preview', swap: 'outerHTML', values: Object.fromEntries(asked[0]) });
});

stop.addEventListener('click', () => running?.abort());

message.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(send);
});
