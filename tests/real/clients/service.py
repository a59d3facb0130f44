"""A service as people write them: FastAPI, a provider's SDK, and an instrumentation from the shelf.

Where its telemetry goes, and under which name, is said by OpenTelemetry's own two variables and nowhere here. It runs
in an environment of its own (requirements.txt), and knows nothing of the house that watches it.
"""

import importlib
import os
import sys

import anthropic
import openai
import uvicorn
from fastapi import FastAPI
from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

spans, logs = TracerProvider(), LoggerProvider()
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
trace.set_tracer_provider(spans)
_logs.set_logger_provider(logs)
module, _, instrumentor = os.environ["INSTRUMENTOR"].partition(":")
getattr(importlib.import_module(module), instrumentor)().instrument()

WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
app = FastAPI()
gpt = openai.OpenAI(base_url=f"{os.environ['PROVIDER']}/v1", api_key="x", max_retries=0)
later = openai.AsyncOpenAI(base_url=f"{os.environ['PROVIDER']}/v1", api_key="x", max_retries=0)
claude = anthropic.Anthropic(base_url=os.environ["PROVIDER"], api_key="x", max_retries=0)


@app.post("/gpt/{word}")
def ask_gpt(word: str) -> str:
    """Ask OpenAI, and run the tool that it asks for."""
    messages = [{"role": "user", "content": f"Please answer [[{word}]]"}]
    given = {"model": "gpt-4o", "tools": [WEATHER]} if word.endswith("tool") else {"model": "gpt-4o"}
    try:
        if word.startswith("stream"):
            said, calls = streamed(messages, given)
            if not calls:
                return said
            messages.append({"role": "assistant", "content": None, "tool_calls": calls})
            messages.append({"role": "tool", "tool_call_id": calls[0]["id"], "content": "18 degrees"})
            return streamed(messages, given)[0]
        answer = gpt.chat.completions.create(messages=messages, **given).choices[0].message
        if answer.tool_calls:
            messages += [answer, {"role": "tool", "tool_call_id": answer.tool_calls[0].id, "content": "18 degrees"}]
            answer = gpt.chat.completions.create(messages=messages, **given).choices[0].message
    except openai.APIError as error:
        return type(error).__name__
    return answer.content or answer.refusal or ""


def streamed(messages: list, given: dict) -> tuple[str, list]:
    """Return what a streamed answer said, and the tools that it asked for."""
    said, calls = "", []
    options = {"stream": True, "stream_options": {"include_usage": True}}
    for chunk in gpt.chat.completions.create(messages=messages, **given, **options):
        for choice in chunk.choices:
            said += choice.delta.content or ""
            for part in choice.delta.tool_calls or ():
                if part.id:
                    called = {"name": part.function.name, "arguments": ""}
                    calls.append({"id": part.id, "type": "function", "function": called})
                calls[part.index]["function"]["arguments"] += part.function.arguments or ""
    return said, calls


@app.post("/async/{word}")
async def ask_gpt_async(word: str) -> str:
    """Ask OpenAI without a thread."""
    messages = [{"role": "user", "content": f"Please answer [[{word}]]"}]
    answer = await later.chat.completions.create(model="gpt-4o", messages=messages)
    return answer.choices[0].message.content or ""


@app.post("/claude/{word}")
def ask_claude(word: str) -> str:
    """Ask Anthropic."""
    messages = [{"role": "user", "content": f"Please answer [[{word}]]"}]
    try:
        answer = claude.messages.create(model="claude-sonnet-4-5", max_tokens=100, messages=messages)
    except anthropic.APIError as error:
        return type(error).__name__
    return "".join(part.text for part in answer.content)


@app.post("/flush")
def flush() -> None:
    """Send what waits, as the end of the process would."""
    spans.force_flush()
    logs.force_flush()


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
