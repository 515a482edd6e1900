"""A harness: the prompt and the history go to the model, the
answer comes back piece by piece, and the model may store notes with one tool.

The contract is in wit/; `componentize-py` makes the module `wit_world` of it. Its names in
Python: a record is a dataclass, a case of a variant a class `Event_Text(value)`, an enum an Enum,
an error of a function the exception `Err(value)`.
"""

import json

# All modules are imported here, when the component is built: at run time there are no files of
# Python left to import.
from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import chat, memory, turn
from wit_world.imports import xpressclaw_harness_types as harness
from wit_world.imports import xpressclaw_llm_types as llm
from wit_world.imports.content import Part_Text

# The model is asked at most so often for one message of the user.
STEPS = 10

REMEMBER = llm.Tool(
    name="remember",
    description="Store a note that outlives this conversation.",
    parameters=json.dumps(
        {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    ),
)

# What lives as long as the session does. An instance belongs to one session.
role: str | None = None
messages: list[llm.Message] = []


class Agent(exports.Agent):
    async def start(self, config: harness.Config) -> harness.Features:
        global role
        role = config.role
        for past in config.history:
            if past.role == harness.Role.USER:
                messages.append(llm.Message_User(past.parts))
            else:
                said = [llm.AssistantPart_Text(p.value) for p in past.parts if isinstance(p, Part_Text)]
                messages.append(llm.Message_Assistant(said))
        # No STEER: what the user types meanwhile waits in the host and is the next prompt.
        return harness.Features.IMAGES

    async def turn(self, prompt: list) -> harness.Stop:
        messages.append(llm.Message_User(prompt))
        try:
            return converse()
        except Err as failure:
            if isinstance(failure.value, llm.Error_Cancelled):
                # What was said before stays.
                return harness.Stop.CANCELLED
            # An exception that is no error of the contract is a trap and ends the instance.
            raise Err(meaning(failure.value)) from failure


def converse() -> harness.Stop:
    """The model answers, its calls are run, their results go back, until it is done."""
    for _ in range(STEPS):
        answer: list[llm.AssistantPart] = []
        try:
            finish = ask(answer)
        except Err:
            # Of an answer that broke off the text stays; nobody ran its calls.
            keep([part for part in answer if isinstance(part, llm.AssistantPart_Text)])
            raise
        keep(answer)
        if finish == llm.Finish.LENGTH:
            return harness.Stop.MAX_TOKENS
        if finish == llm.Finish.REFUSAL:
            return harness.Stop.REFUSAL
        calls = [part.value for part in answer if isinstance(part, llm.AssistantPart_ToolCall)]
        if not calls:
            return harness.Stop.END_TURN
        for call in calls:
            messages.append(llm.Message_Tool(run(call)))
    say(f"I stopped after {STEPS} steps without being done.")
    return harness.Stop.MAX_STEPS


def keep(answer: list) -> None:
    if answer:  # providers refuse an answer without content
        messages.append(llm.Message_Assistant(answer))


def ask(answer: list) -> llm.Finish:
    """One model call. Fills `answer` while it arrives, and says how it ended."""
    request = llm.Request(
        model=None,  # the agent's own
        system=role,
        messages=messages,
        tools=[REMEMBER],
        tool_choice=llm.ToolChoice_Auto(),
        max_output_tokens=None,
        temperature=None,
        effort=None,
        output_schema=None,
        stop=[],
        extra=None,
    )
    calls = {}
    # `with` closes the handle at its end. Without it the collector would, some time: until then
    # the completion stays open, and the instance cannot be forked.
    with chat.complete(request) as completion:
        while True:
            # Blocks, but holds no thread of the host and spends no CPU time.
            for event in completion.next():
                match event:
                    case llm.Event_Text(text):
                        say(text)
                        if answer and isinstance(answer[-1], llm.AssistantPart_Text):
                            answer[-1].value += text
                        else:
                            answer.append(llm.AssistantPart_Text(text))
                    case llm.Event_Thinking(text):
                        turn.emit(harness.Event_Thought(text))
                    case llm.Event_ToolCallStart(start):
                        calls[start.index] = llm.ToolCall(start.id, start.name, "", None)
                        answer.append(llm.AssistantPart_ToolCall(calls[start.index]))
                    case llm.Event_ToolCallArguments(piece):
                        calls[piece.index].arguments += piece.fragment
                    case llm.Event_ToolCallSignature(signed):
                        calls[signed.index].signature = signed.signature
                    case llm.Event_Finished(outcome):
                        return outcome.finish


def run(call: llm.ToolCall) -> llm.ToolResult:
    """Runs a call. Whatever goes wrong is for the model to read: it tries something else."""
    turn.emit(
        harness.Event_Call(
            harness.Call(call.id, call.name, harness.Kind.OTHER, call.name, call.arguments, [])
        )
    )
    try:
        text = remember(call)
        status = harness.Status.COMPLETED
    except Err as failure:
        # An error of the verb: `denied`, `invalid`, … with a text, or `cancelled` without.
        text = str(getattr(failure.value, "value", "cancelled"))
        status = harness.Status.FAILED
    except ValueError as wrong:
        text = str(wrong)
        status = harness.Status.FAILED
    content = [Part_Text(text)]
    shown = [harness.CallContent_Part(part) for part in content]
    turn.emit(harness.Event_CallUpdate(harness.CallUpdate(call.id, status, shown, None)))
    return llm.ToolResult(call.id, content, status == harness.Status.FAILED)


def remember(call: llm.ToolCall) -> str:
    if call.name != REMEMBER.name:
        raise ValueError(f"there is no tool {call.name}")
    # Arguments are what the model wrote, which may be anything.
    arguments = json.loads(call.arguments)
    if not isinstance(arguments, dict) or not isinstance(arguments.get("text"), str):
        raise ValueError("the argument text is missing")
    # A verb: the host knows which agent calls, and whether it may.
    return f"stored as note {memory.add(arguments['text'], [])}"


def say(text: str) -> None:
    turn.emit(harness.Event_Message(Part_Text(text)))


def meaning(error: llm.Error) -> harness.Error:
    """The host has retried what was worth retrying: what arrives here is for the user."""
    match error:
        case llm.Error_BudgetExhausted(budget):
            return harness.Error_Budget(budget.message)
        case llm.Error_InvalidRequest(text):
            return harness.Error_Invalid(text)
        case llm.Error_ProviderFailed(failure):
            return harness.Error_Model(failure.message)
        case llm.Error_UnknownModel(name):
            return harness.Error_Model(f"unknown model {name}")
        case llm.Error_RateLimited(ms):
            return harness.Error_Model(f"rate limited for {ms} ms")
        case llm.Error_ContextExceeded(size):
            return harness.Error_Model(f"history over {size} tokens")
        case llm.Error_Other(text):
            return harness.Error_Other(text)
    return harness.Error_Other(repr(error))
