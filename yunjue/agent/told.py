"""What a person is told of a run's events, one line each."""

from __future__ import annotations

import json
from typing import Any

from yunjue.events import Event


def told(event: Event) -> str:
    """One line about the event for a person, or nothing. It goes to a terminal, and tools, pages
    and models had a say in it."""
    maker = _LINES.get(event.kind)
    return plain(maker(event.data)) if maker else ""


def plain(text: str) -> str:
    """``text`` without what could move a terminal's cursor or hide a part of it."""
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)


def _short(value: Any, limit: int = 100) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _inputs(inputs: dict[str, Any]) -> str:
    return _short(
        ", ".join(f"{name}={json.dumps(inputs[name], ensure_ascii=False)}" for name in inputs)
    )


def _called(data: dict[str, Any]) -> str:
    outcome = data["outcome"]
    result = outcome["output"] if outcome["status"] == "ok" else outcome["error"]
    if isinstance(result, dict) and len(result) == 1:
        result = next(iter(result.values()))
    line = f"call      {data['name']}({_inputs(data['inputs'])}) = {_short(result)}"
    files = [f"{file['name']} ({file['size']} bytes)" for file in outcome.get("files", ())]
    files += [f"not {name}: {why}" for name, why in outcome.get("left_out", {}).items()]
    return f"{line}; files: {_short(', '.join(files), 300)}" if files else line


def _visited(data: dict[str, Any]) -> str:
    place = f"{data['host']}:{data['port']}"
    if not data["allowed"]:
        return f"network   {data['tool']} was kept from {place}, which {_short(data['why'], 160)}"
    sizes = f"{data['sent']} bytes sent, {data['received']} received"
    return f"network   {data['tool']} reached {place}: {sizes}"


def _learnt(data: dict[str, Any]) -> str:
    lessons = [*data["new"], *data["known"]]
    told = _short("; ".join(lessons), 200) or f"nothing ({_short(data['why'], 160)})"
    return f"from {data['run']}: {told}"


def _found(data: dict[str, Any]) -> str:
    return "\n".join(
        f"skill     {one['name']} is not used ({one['status']}): {_short(one['why'], 160)}"
        for one in data["unused"]
    )


def _chosen(data: dict[str, Any]) -> str:
    if not data["name"]:
        return "skill     none of those there are"
    line = f"skill     {data['name']} ({data['id'][:12]})"
    if data["permitted"] is not None:
        line += f"; it allows only {', '.join(data['permitted'])}"
    foreign = [name for name in data["allowed"] or [] if name not in (data["permitted"] or [])]
    if foreign:
        line += f"; unknown here: {_short(', '.join(foreign))}"
    return line + ("; too long to be shown in full" if data["cut"] else "")


def _ran(data: dict[str, Any]) -> str:
    inputs = data["inputs"]
    words = " ".join([inputs["script"], *(json.dumps(one) for one in inputs["args"])])
    return _called({"name": words, "inputs": {}, "outcome": data["outcome"]}).replace("()", "", 1)


def _decided(data: dict[str, Any]) -> str:
    what = {
        "use": "use {}",
        "make": "make {}, which is missing",
        "script": "run {}",
        "answer": "answer without a tool",
    }
    return "manager   " + what[data["decision"]].format(data["function"])


def _judged(data: dict[str, Any]) -> str:
    failed = [stage for stage in data["stages"] if not stage["passed"]]
    if failed:
        return f"prove     candidate {data['candidate'] + 1}: {failed[0]['name']}: " + _short(
            failed[0]["detail"]
        )
    return f"prove     candidate {data['candidate'] + 1}: {data['passed']} of {data['cases']} cases"


def _admitted(data: dict[str, Any]) -> str:
    why = next(s["detail"] for s in data["verdict"]["stages"] if s["name"] == "tests")
    return f"admit     {data['signature']} ({why})"


def _acted(data: dict[str, Any]) -> str:
    what = data["error"] or data["change"] or "nothing changed"
    files = f"; files: {', '.join(data['files'])}" if data["files"] else ""
    return f"acted     {_short(('ERROR ' if data['error'] else '') + what, 160)}{files}"


def _compared(data: dict[str, Any]) -> str:
    told = "; ".join(f"{_short(one['action'], 60)} {one['score']:g}" for one in data["candidates"])
    return f"compare   {_short(told, 300)}"


def _approval(data: dict[str, Any]) -> str:
    proposal, decision = data["proposal"], data["decision"]
    how = "allowed" if decision["approved"] else "denied"
    if decision["inputs"] is not None:
        how = f"allowed with {_inputs(decision['inputs'])}"
    words = f": {_short(decision['words'], 160)}" if decision["words"] else ""
    return f"approval  {proposal['name']} is {how} by {decision['by']}{words}"


_LINES = {
    "run.started": lambda d: f"run       {d['run']}  model {d['model']}  sandbox {d['sandbox']}",
    "run.resumed": lambda d: f"run       {d['run']} resumed, sitting {d['sitting']}",
    "domain.chosen": lambda d: f"domain    {d['domain'] or 'none'}",
    "candidates.judged": _compared,
    "action.chosen": lambda d: (
        f"act {d['number']:<5} {_short(d['action'])}" + (f" ({d['why']})" if d["why"] else "")
    ),
    "action.done": _acted,
    "action.unforeseen": lambda d: f"foresee   not {_short(d['action'])}: {_short(d['why'])}",
    "tools.provided": lambda d: "\n".join(
        [f"plugin    {d['plugin']} brings {', '.join(d['added'])}"] * bool(d["added"])
        + [f"plugin    {d['plugin']}: refused {_short(why, 200)}" for why in d["refused"]]
    ),
    "tools.lacking": lambda d: f"library   leaves out {d['tool']}: {_short(d['why'], 300)}",
    "tools.retrieved": lambda d: f"library   {', '.join(d['names']) or 'has no tool to offer'}",
    "principles.found": lambda d: "\n".join(f"lesson    {_short(text)}" for text in d["texts"]),
    "principles.learnt": lambda d: f"learn     {_learnt(d)}",
    "principles.pruned": lambda d: f"prune     {len(d['ids'])} lessons that did not help",
    "skills.found": _found,
    "skill.chosen": _chosen,
    "skill.read": lambda d: f"read      {d['path']}, part {d['part']} of {d['parts']}",
    "skill.ran": _ran,
    "manager.decided": _decided,
    "manager.generalised": lambda d: f"specify   {d['function']} anew: {_short(d['problem'])}",
    "tool.specified": lambda d: f"specify   {d['name']}: {_short(d['spec']['description'])}",
    "tool.tested": lambda d: f"test      {len(d['cases'])} cases from the specification",
    "tool.authored": lambda d: (
        f"write     candidate {d['candidate'] + 1}, {d['code'].count(chr(10)) + 1} lines"
    ),
    "tool.judged": _judged,
    "tool.admitted": _admitted,
    "tool.passed_over": lambda d: (
        f"pass over {d['name']}: refused lately, tried again later ({_short(d['why'], 120)})"
    ),
    "tool.refused": lambda d: f"refuse    {d['name']}: {_short(d['why'], 160)}",
    "tool.called": _called,
    "answer.guessed": lambda d: (
        f"guess     {d['name']}({_inputs(d['inputs'])}) = {_short(d['value'])}: "
        f"{d['agree']} of {d['of']} unproven candidates say so"
    ),
    "tool.network": _visited,
    "tool.moved": lambda d: f"library   {d['name']} is now {d['status']}: {_short(d['why'])}",
    "tool.mended": lambda d: f"mend      {d['name']}: a repaired version takes its place",
    "tool.unmended": lambda d: f"mend      {d['name']}: not possible: {_short(d['why'], 160)}",
    "absorb.merged": lambda d: (
        f"merge     {', '.join(d['parents'])} into {d['name']}: {_short(d['why'])}"
    ),
    "absorb.apart": lambda d: f"apart     {', '.join(d['tools'])}: {_short(d['why'])}",
    "absorb.dropped": lambda d: f"drop      {d['name']}: {_short(d['why'])}",
    "approval.decided": _approval,
    "run.paused": lambda d: f"approval  waiting: {_short(d['proposal']['summary'], 300)}",
    "executor.acted": lambda d: {
        "search_tools": f"search    {_short(d.get('query', ''))}",
        "search_principles": f"consult   {_short(d.get('query', ''))}",
        "request_tools": f"request   {_short('; '.join(d.get('needs', [])))}",
    }.get(d["action"], ""),
    "critic.judged": lambda d: "" if d["answered"] else f"critic    {_short(d['why'])}",
    "model.repaired": lambda d: f"repair    {d['role']}: {_short(d['problem'])}",
    "model.retried": lambda d: f"retry     {d['model']}: {_short(d['problem'])}",
}
