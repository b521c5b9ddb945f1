// API Configuration
const API_KEY = 'kpx_your_api_key_here';
const BASE_URL = 'https://keyplex.ai/api/v1';
// Create a chat completion
const response = await fetch(`${BASE_URL}/chat/completions`, {
  method: 'POST',
  headers: {
    'Authorization': `Bearer ${API_KEY}`,
    'Content-Type': 'application/json'
  },
  body: JSON.stringify({
    model: 'openai/gpt-4o-mini',
    messages: [{ role: 'user', content: 'Hello, world!' }],
    temperature: 0.7
  })
});
const data = await response.json();
console.log(data.choices[0].message.content);
