import requests
url = "https://keymeai.com/v1/chat/completions"
headers = { "Authorization": "Bearer km-your-key-here", "Content-Type": "application/json" }
data = { "model": "deepseek-chat", "messages": [{"role": "user", "content": "Hello!"}] }
response = requests.post(url, headers=headers, json=data)
print(response.json()["choices"][0]["message"]["content"])
