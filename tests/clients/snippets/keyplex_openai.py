from openai import OpenAI
client = OpenAI(
    api_key="kpx_your_api_key_here",
    base_url="https://keyplex.ai/api/v1"
)
# Use exactly as you would with OpenAI
response = client.chat.completions.create(
    model="openai/gpt-4o-mini",
    messages=[{"role": "user", "content": "Hello!"}]
)
