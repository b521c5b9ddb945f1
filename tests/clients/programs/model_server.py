"""llama.cpp's own server with a tiny model of random weights; prints its address, serves till stdin ends."""
import sys
import tempfile
from pathlib import Path

import gguf
import numpy
import xllamacpp

CONTEXT, WIDTH, HEADS, LAYERS, FEED = 1024, 32, 4, 2, 64
WORDS = ["▁the", "▁a", "▁and", "▁of", "▁to", "▁rain", "▁sun", "▁wind", "▁sea", "▁stone", "▁light", "▁road"]
KINDS = gguf.TokenType
TOKENS = [
    ("<unk>", KINDS.UNKNOWN), ("<s>", KINDS.CONTROL), ("</s>", KINDS.CONTROL),
    *((f"<0x{byte:02X}>", KINDS.BYTE) for byte in range(256)),
    *((word, KINDS.NORMAL) for word in WORDS),
    ("<tool_call>", KINDS.USER_DEFINED),  # the last one; said only where a request favours it
]
TEMPLATE = """\
{%- if tools %}system: <tools>{{ tools | tojson }}</tools> Call one as <tool_call>{"name": …, "arguments": …}</tool_call>
{% endif %}
{%- for message in messages %}{{ message.role }}: {{ message.content or "" }}
{%- for call in message.tool_calls or [] %}<tool_call>{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}</tool_call>{% endfor %}
{% endfor %}
{%- if add_generation_prompt %}assistant:{% endif %}"""


def make_model(path):
    """Two layers of noise over a vocabulary of bytes and a few words, which it prefers."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _ in TOKENS])
    writer.add_token_scores([0.0] * len(TOKENS))
    writer.add_token_types([kind for _, kind in TOKENS])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(False)  # llama.cpp holds "assistant:" against its grammar as it stands
    writer.add_chat_template(TEMPLATE)
    for name, tensor in tensors(numpy.random.default_rng(7)):
        writer.add_tensor(name, tensor.astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tensors(noise):
    def random(*shape):
        return noise.normal(0, 0.1, shape)

    embedding, output = random(len(TOKENS), WIDTH), random(len(TOKENS), WIDTH)
    embedding[:, 0] = 2  # every token says so, hence this column works as a bias:
    output[:, 0] = [2 if kind == KINDS.NORMAL else -2 for _, kind in TOKENS]
    yield "token_embd.weight", embedding
    yield "output.weight", output
    yield "output_norm.weight", numpy.ones(WIDTH)
    for layer in range(LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{layer}.{name}.weight", random(WIDTH, WIDTH)
        for name, shape in {"gate": (FEED, WIDTH), "up": (FEED, WIDTH), "down": (WIDTH, FEED)}.items():
            yield f"blk.{layer}.ffn_{name}.weight", random(*shape)
        for name in ("attn_norm", "ffn_norm"):
            yield f"blk.{layer}.{name}.weight", numpy.ones(WIDTH)


def parameters(path, **more):
    made = xllamacpp.CommonParams()
    made.model.path = str(path)
    made.hostnames = ["127.0.0.1"]
    made.port = 0
    made.n_ctx = made.n_batch = made.n_ubatch = CONTEXT
    made.n_parallel = made.cpuparams.n_threads = made.cpuparams_batch.n_threads = 1
    made.use_jinja = True
    made.verbosity = 0
    for name, value in more.items():
        setattr(made, name, value)
    return made


with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "tiny.gguf"
    make_model(path)
    chat = xllamacpp.Server(parameters(path))
    embedder = xllamacpp.Server(parameters(path, embedding=True, pooling_type=xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN))
    print(chat.listening_address, embedder.listening_address, flush=True)
    sys.stdin.read()
