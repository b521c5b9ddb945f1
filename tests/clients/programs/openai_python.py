"""The official Python client, old and new."""
import json, os
import openai

base, model = os.environ["BASE_URL"], os.environ["MODEL"]
HELLO = [{"role": "user", "content": "Hello"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "w", "schema": {"type": "object"}}}
PICTURE = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]
client = openai.OpenAI(api_key=os.environ["API_KEY"], base_url=base, max_retries=0)


def feature(name):
    def run(check):
        try:
            check()
            print(json.dumps({"feature": name, "ok": True}))
        except Exception as error:
            print(json.dumps({"feature": name, "ok": False, "detail": f"{type(error).__name__}: {error}"[:300]}))
    return run


def create(**more):
    return client.chat.completions.create(model=more.pop("model", model), messages=more.pop("messages", HELLO), **more)


@feature("chat")
def _():
    done = create()
    assert done.choices[0].message.content == "Hello from the oracle." and done.usage.total_tokens == 13
    assert done._request_id.startswith("req_")

@feature("stream")
def _():
    assert "".join(c.choices[0].delta.content or "" for c in create(stream=True)) == "Hello from the oracle."

@feature("stream with usage")
def _():
    *_, last = create(stream=True, stream_options={"include_usage": True})
    assert last.usage.total_tokens == 13 and last.choices == []

@feature("tools")
def _():
    [call] = create(tools=TOOLS).choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    again = [*HELLO, {"role": "assistant", "tool_calls": [call.model_dump()]}, {"role": "tool", "tool_call_id": call.id, "content": "21"}]
    assert create(tools=TOOLS, messages=again).choices[0].message.content == "Hello from the oracle."

@feature("tools streamed")
def _():
    chunks = list(create(tools=TOOLS, stream=True))
    [call] = [c for chunk in chunks for c in chunk.choices[0].delta.tool_calls or []]
    assert call.index == 0 and chunks[-1].choices[0].finish_reason == "tool_calls"

@feature("json schema")
def _():
    assert json.loads(create(response_format=SCHEMA).choices[0].message.content)["city"] == "Paris"

@feature("vision")
def _():
    assert create(messages=PICTURE).choices[0].message.content == "A picture."

@feature("embeddings")
def _():
    for more in ({}, {"encoding_format": "float"}, {"dimensions": 3}):
        made = client.embeddings.create(model=os.environ["EMBEDDING_MODEL"], input=["a", "b"], **more)
        assert [list(map(float, v.embedding)) for v in made.data] == [[0.5, -0.25, 1.0]] * 2

@feature("completions")
def _():
    assert client.completions.create(model=model, prompt="Hello").choices[0].text == "Hello from the oracle."

@feature("models")
def _():
    assert any(m.id == model for m in client.models.list())
    assert client.models.retrieve(model).id == model

def raises(kind, function, **more):
    try:
        function(**more)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")

@feature("authentication error")
def _():
    raises(openai.AuthenticationError, openai.OpenAI(api_key="kpx_no", base_url=base, max_retries=0).models.list)

@feature("permission error")
def _():
    reader = openai.OpenAI(api_key=os.environ["READER_KEY"], base_url=base, max_retries=0)
    raises(openai.PermissionDeniedError, reader.chat.completions.create, model=model, messages=HELLO)

@feature("unknown model")
def _():
    assert raises(openai.NotFoundError, create, model="gpt-999").param == "model"

@feature("rate limit error")
def _():
    limited = openai.OpenAI(api_key=os.environ["LIMITED_KEY"], base_url=base, max_retries=0)
    limited.chat.completions.create(model=model, messages=HELLO)
    raises(openai.RateLimitError, limited.chat.completions.create, model=model, messages=HELLO)

@feature("broken stream raises")
def _():
    raises(openai.APIError, lambda: list(create(model="keyplex/midstream-error", messages=[{"role": "user", "content": "a long enough text"}], stream=True)))

@feature("context overflow")
def _():
    error = raises(openai.BadRequestError, create, messages=[{"role": "user", "content": "x" * 40000}])
    assert "maximum context length is 4000 tokens" in str(error)
