curl -s https://keymeai.com/v1/chat/completions \
 -H "Authorization: Bearer $KEYMEAI_KEY" \
 -H "Content-Type: application/json" \
 -d '{ "model": "deepseek-chat", "messages": [ {"role": "user", "content": "Explain quantum computing in simple terms"} ] }'
