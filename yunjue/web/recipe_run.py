"""Carrying out a recipe in the browser, under the policy of any run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from yunjue.config import Settings
from yunjue.domains import Environment, Observed, Place, Step
from yunjue.errors import BrowserUnavailable, YunjueError
from yunjue.types import CallOutcome
from yunjue.web.domain import environment
from yunjue.web.environment import STORAGE
from yunjue.web.recipe import Recipe, RecipeStep
from yunjue.web.seeing import page_of

PAGE_CHARS = 8000
PATIENCE = 3
"""Looks for an element that is not there yet; half a second between them."""


async def carry_out(
    recipe: Recipe,
    inputs: Mapping[str, str],
    settings: Settings,
    folder: Path,
    make: Callable[[Place], Environment] = environment,
) -> CallOutcome:
    """Do the recipe's steps with these inputs.

    An element that is missing, a page other than expected, or a risk that the recipe did not
    have when it was proven ends it: nothing is guessed. That its known risks are approved is the
    caller's business, before.

    Returns:
        The text of the last page as ``page``; never raises for what the site does.

    Raises:
        BrowserUnavailable: there is no browser.
    """
    if set(inputs) != set(recipe.inputs) or not all(isinstance(v, str) for v in inputs.values()):
        wanted = ", ".join(recipe.inputs) or "none"
        return CallOutcome(status="input_error", error=f"Its inputs are texts: {wanted}.")
    chosen = settings.model_copy(
        update={"start_url": recipe.start_url, "allow_origins": list(recipe.origins)}
    )
    place = make(Place(chosen, folder))
    try:
        seen = await place.start(recipe.description, {})
        for number, step in enumerate(recipe.steps, 1):
            seen, problem = await _do(place, seen, step, inputs)
            if problem:
                return _failed(f"Step {number} of {len(recipe.steps)}: {problem}")
        if problem := _not_there(recipe, seen, inputs):
            return _failed(problem)
        return CallOutcome(status="ok", output={"page": seen.text[:PAGE_CHARS]})
    except BrowserUnavailable:
        raise
    except YunjueError as error:
        return _failed(error.message)
    finally:
        with suppress(YunjueError):
            await place.close()
        (folder / STORAGE).unlink(missing_ok=True)  # nothing goes on with its session


async def _do(
    place: Environment, seen: Observed, step: RecipeStep, inputs: Mapping[str, str]
) -> tuple[Observed, str]:
    """What is seen after the step, and why it could not be done."""
    action: dict[str, Any] = {name: _filled(value, inputs) for name, value in step.action.items()}
    if step.role:
        for look in range(PATIENCE + 1):
            target = _target(seen, step)
            if target is not None or look == PATIENCE:
                break
            seen = (await place.step({"action": "wait", "seconds": 0.5})).observed
        if target is None:
            return seen, f"there is no {step.role} {step.name!r} on the page."
        action["target"] = target
    risk = place.risk(action, seen)
    if risk and risk != step.risk:
        return seen, f"it was not so when it was proven: {risk}."
    done: Step = await place.step(action)
    return done.observed, done.error


def _target(seen: Observed, step: RecipeStep) -> int | None:
    alike = [
        one.id for one in page_of(seen).elements if (one.role, one.name) == (step.role, step.name)
    ]
    return alike[step.nth] if step.nth < len(alike) else None


def _not_there(recipe: Recipe, seen: Observed, inputs: Mapping[str, str]) -> str:
    """Why the last page is not the expected one; "" if it is."""
    page = page_of(seen)
    url = page.url.partition("?")[0]
    places = {_filled(recipe.url, inputs), _filled(recipe.url, inputs, quoted=True)}
    if url not in places:
        return f"It ended at {url[:200]}, not at {recipe.url[:200]}."
    title = _filled(recipe.title, inputs)
    return "" if page.title.casefold() == title.casefold() else f"The page is {page.title[:80]!r}."


def _filled(value: Any, inputs: Mapping[str, str], quoted: bool = False) -> Any:
    if not isinstance(value, str):
        return value
    for name, given in inputs.items():
        value = value.replace("{" + name + "}", quote(given) if quoted else given)
    return value


def _failed(error: str) -> CallOutcome:
    return CallOutcome(status="failed", error=error, reason="recipe")
