import requests
# API Configuration
API_KEY = "kpx_your_api_key_here"
BASE_URL = "https://keyplex.ai/api/v1"
# Create a chat completion
response = requests.post(
    f"{BASE_URL}/chat/completions",
    headers={
        "Authorization": f"Bearer {API_KEY}",
        "Content-Type": "application/json"
    },
    json={
        "model": "openai/gpt-4o-mini",
        "messages": [{"role": "user", "content": "Hello, world!"}],
        "temperature": 0.7
    }
)
data = response.json()
print(data["choices"][0]["message"]["content"])
