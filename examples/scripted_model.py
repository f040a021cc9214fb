"""A scripted model in a test: ask it as the agent does, and see what it was asked."""

import asyncio

from yunjue.events import Events
from yunjue.limits import Limits, Meter
from yunjue.models.gateway import Gateway, Unrecorded
from yunjue.models.scripted import ScriptedModel
from yunjue.types import Message

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


async def main() -> None:
    # The first reply is no JSON: the gateway says so to the model and asks again.
    model = ScriptedModel(["It is Paris, of course!", {"city": "Paris"}])
    events, meter = Events(), Meter(Limits(calls=5))
    events.subscribe(lambda event: print(event.kind, event.data["problem"]))
    gateway = Gateway({"executor": [model]}, Unrecorded(), meter, events)
    question = [Message(role="user", content="What is the capital of France?")]
    print(await gateway.ask_json("executor", question, SCHEMA))
    print(f"{meter.spent.calls} calls, {meter.spent.tokens} tokens")


if __name__ == "__main__":
    asyncio.run(main())
