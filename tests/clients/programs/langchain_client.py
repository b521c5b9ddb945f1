"""LangChain's ChatOpenAI and OpenAIEmbeddings."""
import json, os
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
import openai

base, key, model = os.environ["BASE_URL"], os.environ["API_KEY"], os.environ["MODEL"]


def chat(**more):
    return ChatOpenAI(model=more.pop("model", model), base_url=base, api_key=more.pop("api_key", key), max_retries=0, use_responses_api=False, **more)


def feature(name):
    def run(check):
        try:
            check()
            print(json.dumps({"feature": name, "ok": True}))
        except Exception as error:
            print(json.dumps({"feature": name, "ok": False, "detail": f"{type(error).__name__}: {error}"[:300]}))
    return run


def get_weather(city: str) -> str:
    """The weather in a city."""
    return city


@feature("chat")
def _():
    said = chat().invoke("Hello")
    assert said.content == "Hello from the oracle." and said.usage_metadata["total_tokens"] == 13

@feature("stream")
def _():
    assert "".join(chunk.content for chunk in chat().stream("Hello")) == "Hello from the oracle."

@feature("stream with usage")
def _():
    total = None
    for chunk in chat(stream_usage=True).stream("Hello"):
        total = chunk if total is None else total + chunk
    assert total.usage_metadata["total_tokens"] == 13

@feature("tools")
def _():
    [call] = chat().bind_tools([get_weather]).invoke("Hello").tool_calls
    assert call["args"] == {"city": "Paris"}

@feature("tools streamed")
def _():
    total = None
    for chunk in chat().bind_tools([get_weather]).stream("Hello"):
        total = chunk if total is None else total + chunk
    [call] = total.tool_calls
    assert call["args"] == {"city": "Paris"}

@feature("json schema")
def _():
    schema = {"title": "W", "description": "w", "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    assert chat().with_structured_output(schema, method="json_schema").invoke("Hello")["city"] == "Paris"

@feature("vision")
def _():
    parts = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    assert chat().invoke([HumanMessage(content=parts)]).content == "A picture."

@feature("embeddings by token ids")
def _():
    made = OpenAIEmbeddings(model=os.environ["EMBEDDING_MODEL"], base_url=base, api_key=key, tiktoken_enabled=False, check_embedding_ctx_length=False)
    assert made.embed_documents(["a", "b"]) == [[0.5, -0.25, 1.0]] * 2

@feature("authentication error")
def _():
    try:
        chat(api_key="kpx_no").invoke("Hello")
    except openai.AuthenticationError:
        return
    raise AssertionError("no error")

@feature("broken stream raises")
def _():
    try:
        list(chat(model="keyplex/midstream-error").stream("a long enough text to break"))
    except openai.APIError:
        return
    raise AssertionError("no error")
