# Make a chat completion request
curl https://keyplex.ai/api/v1/chat/completions \
-H "Content-Type: application/json" \
-H "Authorization: Bearer kpx_your_api_key_here" \
-d '{
"model": "openai/gpt-4o-mini",
"messages": [
{"role": "user", "content": "Hello, world!"}
]
}'
