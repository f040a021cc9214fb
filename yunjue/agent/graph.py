"""The graph: how a task goes from node to node.

::

    route -> retrieve -> manager -> executor -> approve -> act -> executor
                            |          ^  |  \\
                            v          |  |   critic -> (guess) -> integrator
                        developer -----+--+  (act -> mender -> executor, when a tool is worn)

    route -> enter -> choose -> permit -> perform -> choose ... conclude -> integrator

The second way is that of a task whose domain has an environment to act in.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from yunjue.agent import acting
from yunjue.agent.approval import approve
from yunjue.agent.critic import judge
from yunjue.agent.developer import develop
from yunjue.agent.executor import act, decide_step
from yunjue.agent.guess import guess, may_guess
from yunjue.agent.integrator import integrate
from yunjue.agent.manager import decide, retrieve
from yunjue.agent.mender import mend
from yunjue.agent.routing import domain_of, route
from yunjue.agent.services import Services
from yunjue.agent.state import State
from yunjue.limits import Spent

# Checkpoints hold only plain data; anything else is refused when one is read.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

Node = Callable[[State, Services], Awaitable[dict[str, Any]]]

NODES: dict[str, Node] = {
    "route": route,
    "retrieve": retrieve,
    "manager": decide,
    "developer": develop,
    "executor": decide_step,
    "approve": approve,
    "act": act,
    "mender": mend,
    "critic": judge,
    "guess": guess,
    "integrator": integrate,
    "enter": acting.enter,
    "choose": acting.choose,
    "permit": acting.permit,
    "perform": acting.perform,
    "conclude": acting.conclude,
}


def build_graph(services: Services, checkpointer: Any = None) -> Any:
    """The compiled LangGraph graph over :class:`State`."""
    from langgraph.graph import END, START, StateGraph

    graph = StateGraph(State)
    for name, node in NODES.items():
        graph.add_node(name, _metered(node, services))
    graph.add_edge(START, "route")
    graph.add_conditional_edges("route", after_route, ["retrieve", "enter"])
    graph.add_edge("retrieve", "manager")
    graph.add_conditional_edges("manager", after_manager, ["developer", "executor"])
    graph.add_edge("developer", "executor")
    graph.add_conditional_edges("executor", after_executor, ["developer", "approve", "critic"])
    graph.add_conditional_edges("approve", after_approve, ["act", "executor"])
    graph.add_conditional_edges("act", after_act, ["mender", "executor"])
    graph.add_edge("mender", "executor")
    graph.add_conditional_edges(
        "critic", partial(after_critic, services), ["executor", "guess", "integrator"]
    )
    graph.add_edge("guess", "integrator")
    graph.add_edge("integrator", END)
    graph.add_edge("enter", "choose")
    graph.add_conditional_edges("choose", acting.after_choose, ["permit", "conclude"])
    graph.add_conditional_edges("permit", acting.after_permit, ["perform", "choose"])
    graph.add_conditional_edges("perform", acting.after_perform, ["choose", "conclude"])
    graph.add_conditional_edges("conclude", acting.after_conclude, ["choose", "integrator"])
    return graph.compile(checkpointer=checkpointer)


def after_route(state: State) -> str:
    domain = domain_of(state)
    return "enter" if domain is not None and domain.environment is not None else "retrieve"


def after_manager(state: State) -> str:
    return "developer" if state["needs"] else "executor"


def after_executor(state: State) -> str:
    if state["needs"]:
        return "developer"
    return "approve" if state["pending"] else "critic"


def after_approve(state: State) -> str:
    return "act" if state["pending"] else "executor"


def after_act(state: State) -> str:
    return "mender" if state["worn"] else "executor"


def after_critic(services: Services, state: State) -> str:
    if not state["status"]:
        return "executor"
    return "guess" if may_guess(state, services) else "integrator"


def _metered(node: Node, services: Services) -> Callable[[State], Awaitable[dict[str, Any]]]:
    """The node with its spending kept in the state: what is counted again when an
    interrupted node runs anew must not be counted twice."""

    async def run(state: State) -> dict[str, Any]:
        if state["spent"]:
            services.meter.spent = Spent(**state["spent"])
        services.meter.check()
        update = await node(state, services)
        return {**update, "spent": asdict(services.meter.spent)}

    return run
