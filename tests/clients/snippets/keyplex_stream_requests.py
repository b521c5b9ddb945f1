import requests
# Streaming request with requests library
response = requests.post(
    "https://keyplex.ai/api/v1/chat/completions",
    headers={
        "Authorization": "Bearer kpx_your_api_key_here",
        "Content-Type": "application/json"
    },
    json={
        "model": "openai/gpt-4o-mini",
        "messages": [{"role": "user", "content": "Tell me a story"}],
        "stream": True
    },
    stream=True
)
for line in response.iter_lines():
    if line:
        print(line.decode('utf-8'))
