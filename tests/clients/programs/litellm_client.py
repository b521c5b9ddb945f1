"""LiteLLM as a client, which tells errors by their text as well."""
import json, os
import litellm

litellm.suppress_debug_info = True
base, key, model = os.environ["BASE_URL"], os.environ["API_KEY"], os.environ["MODEL"]
HELLO = [{"role": "user", "content": "Hello"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]


def create(**more):
    more.setdefault("api_key", key)
    return litellm.completion(model="openai/" + more.pop("model", model), messages=more.pop("messages", HELLO), api_base=base, num_retries=0, max_retries=0, **more)


def feature(name):
    def run(check):
        try:
            check()
            print(json.dumps({"feature": name, "ok": True}))
        except Exception as error:
            print(json.dumps({"feature": name, "ok": False, "detail": f"{type(error).__name__}: {error}"[:300]}))
    return run


def raises(kind, **more):
    try:
        list(create(**more)) if more.get("stream") else create(**more)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


@feature("chat")
def _():
    done = create()
    assert done.choices[0].message.content == "Hello from the oracle." and done.usage.total_tokens == 13

@feature("stream")
def _():
    assert "".join(c.choices[0].delta.content or "" for c in create(stream=True)) == "Hello from the oracle."

@feature("tools")
def _():
    [call] = create(tools=TOOLS).choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Paris"}

@feature("tools streamed")
def _():
    chunks = list(create(tools=TOOLS, stream=True))
    built = litellm.stream_chunk_builder(chunks)
    assert json.loads(built.choices[0].message.tool_calls[0].function.arguments) == {"city": "Paris"}
    assert built.choices[0].finish_reason == "tool_calls"

@feature("vision")
def _():
    parts = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    assert create(messages=[{"role": "user", "content": parts}]).choices[0].message.content == "A picture."

@feature("embeddings")
def _():
    made = litellm.embedding(model="openai/" + os.environ["EMBEDDING_MODEL"], input=["a", "b"], api_base=base, api_key=key)
    assert [v["embedding"] for v in made.data] == [[0.5, -0.25, 1.0]] * 2

@feature("authentication error")
def _():
    raises(litellm.AuthenticationError, api_key="kpx_no")

@feature("unknown model")
def _():
    raises(litellm.BadRequestError, model="gpt-999")  # by its text, whatever the status

@feature("rate limit error")
def _():
    create(api_key=os.environ["LIMITED_KEY"])
    raises(litellm.RateLimitError, api_key=os.environ["LIMITED_KEY"])

@feature("context overflow by its text")
def _():
    raises(litellm.ContextWindowExceededError, messages=[{"role": "user", "content": "x" * 40000}])

@feature("broken stream raises")
def _():
    raises(Exception, model="keyplex/midstream-error", stream=True, messages=[{"role": "user", "content": "a long enough text"}])
