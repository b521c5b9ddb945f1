from openai import OpenAI
client = OpenAI( api_key="km-your-key-here", base_url="https://keymeai.com/v1" )
response = client.chat.completions.create(
    model="deepseek-chat", messages=[{"role": "user", "content": "Hello!"}]
)
print(response.choices[0].message.content)
