"""Every kind of action in a real browser, on small pages."""

from __future__ import annotations

import time

import pytest
from serving import page

ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="14" height="14"/>'

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]


async def test_click_changes_what_the_page_says(driver):
    await driver.show(
        "<button onclick=\"document.querySelector('p').textContent='two'\">Go</button><p>one</p>"
    )
    done = await driver.do("click", "Go")
    assert done.ok
    assert (done.change.text_removed, done.change.text_added) == (("one",), ("two",))
    [update] = [pair for pair in done.change.updated if pair.after.role == "text"]
    assert update.before.id == update.after.id


async def test_type_replaces_and_press_submits(driver):
    driver.site.pages["/found"] = "<h1>Found</h1>"
    await driver.show("<form action=/found><input name=q aria-label=Query value=old></form>")
    done = await driver.do("type", "Query", text="new words")
    assert driver.find("Query").value == "new words"
    assert done.change.updated[0].before.value == "old"
    done = await driver.do("press", "Query", key="Enter")
    assert done.change.url[1].endswith("/found?q=new+words")
    assert driver.find("Found").role == "heading"


async def test_select_one_and_several(driver):
    await driver.show(
        "<select aria-label=One><option>a<option>b</select>"
        "<select aria-label=Many multiple><option>x<option>y<option>z</select>"
    )
    await driver.do("select", "One", value="B")
    assert driver.find("One").value == "b"
    for value in ("x", "z", "x"):
        await driver.do("select", "Many", value=value)
    assert driver.find("Many").value == "z"
    done = await driver.do("select", "One", value="c")
    assert not done.ok and "'a', 'b'" in done.error


async def test_scroll_a_page_and_a_part_until_it_ends(driver):
    await driver.show(
        "<style>body{margin:0;height:3000px}</style>"
        "<div aria-label=Part role=group style='height:100px;overflow:auto'>"
        "<p style='height:130px;margin:0'>inside</p></div>"
        "<script>onscroll=()=>document.title='moved'</script>"
    )
    assert "scrollable" in driver.find("Part").states
    done = await driver.do("scroll", "Part", direction="down")
    assert done.ok and not done.change.title
    done = await driver.do("scroll", "Part", direction="down")
    assert "Nothing scrolls further down" in done.error
    done = await driver.do("scroll", direction="down")
    assert done.change.title == ("", "moved")


async def test_hover_opens_what_only_the_mouse_opens(driver):
    await driver.show(
        "<style>div p{display:none} div:hover p{display:block}</style>"
        "<div><button>Menu</button><p>hidden entry</p></div>"
    )
    done = await driver.do("hover", "Menu")
    assert done.change.text_added == ("hidden entry",)


async def test_history_and_its_ends(driver):
    driver.site.pages["/two"] = "<title>two</title>"
    await driver.do("new_tab")
    await driver.show("<title>one</title><a href=/two>next</a>")
    done = await driver.do("click", "next")
    assert done.change.title == ("one", "two")
    done = await driver.do("back")
    assert done.observation.title == "one"
    done = await driver.do("back")
    assert not done.ok and "no page to go back to" in done.error
    assert done.observation.title == "one"
    done = await driver.do("forward")
    assert done.observation.title == "two"
    done = await driver.do("forward")
    assert not done.ok and "no page to go forward to" in done.error


async def test_tabs_open_switch_and_close(driver):
    driver.site.pages["/popup"] = "<title>popup</title>"
    await driver.show("<title>first</title><a href=/popup target=_blank>open</a>")
    first = driver.seen.tab
    done = await driver.do("click", "open")
    [popup] = done.change.tabs_opened
    assert done.change.tab == (first, popup.id) and driver.seen.title == "popup"
    done = await driver.do("switch_tab", tab=first)
    assert driver.seen.title == "first"
    done = await driver.do("new_tab", url=driver.site.base + "/popup")
    third = driver.seen.tab
    assert done.ok and driver.seen.title == "popup" and third not in (first, popup.id)
    done = await driver.do("close_tab", tab=popup.id)
    assert [tab.id for tab in done.change.tabs_closed] == [popup.id]
    assert driver.seen.tab == third
    await driver.do("close_tab")
    done = await driver.do("close_tab")  # the last one: an empty tab takes its place
    assert done.ok and driver.seen.url == "about:blank" and len(driver.seen.tabs) == 1
    done = await driver.do("switch_tab", tab=first)
    assert f"There is no tab {first}" in done.error


async def test_upload_into_a_field_and_through_a_button(opened, tmp_path):
    given = tmp_path / "given.txt"
    given.write_text("content")
    driver = await opened(files={"notes": given})
    await driver.show(
        "<input type=file aria-label=Field><input id=hidden type=file hidden>"
        "<button onclick=\"document.getElementById('hidden').click()\">Choose</button>"
        "<button>Other</button><p></p><script>for(const f of document.querySelectorAll('input'))"
        "f.onchange=async()=>document.querySelector('p').textContent="
        "f.id+' got '+await f.files[0].text()</script>"
    )
    done = await driver.do("upload", "Field", file="notes")
    assert driver.find("Field").value == "given.txt" and "got content" in driver.text
    done = await driver.do("upload", "Choose", file="notes")
    assert done.ok and "hidden got content" in driver.text
    done = await driver.do("upload", "Other", file="notes")
    assert "does not ask for a file" in done.error
    done = await driver.do("upload", "Field", file="/etc/passwd")
    assert "no file '/etc/passwd'" in done.error and "notes" in done.error
    done = await driver.do("click", "Choose")
    assert "upload gives it one" in done.change.refused[0]


async def test_download_goes_to_the_folder(driver, downloads):
    def send(handler):
        handler.send_response(200)
        handler.send_header("Content-Disposition", 'attachment; filename="../../report.csv"')
        handler.end_headers()
        handler.wfile.write(b"a,b\n")

    driver.site.pages["/file"] = send
    await driver.show("<a href=/file>get</a>")
    for name in ("report.csv", "report-2.csv"):
        done = await driver.do("click", "get")
        [got] = done.change.downloads
        assert (got.size, got.problem) == (4, "")
        assert (downloads / got.name).read_bytes() == b"a,b\n"
        assert got.name.endswith(name)


async def test_wait_extract_and_stop(driver):
    await driver.show(
        "<h1>Title</h1><table><tr><td>a<td>b</table><script>var hidden=1;"
        "setTimeout(()=>document.body.insertAdjacentHTML('beforeend','<p id=x>late</p>'),400)"
        "</script>"
    )
    done = await driver.do("wait", seconds=0.6)
    assert "late" in driver.text
    done = await driver.do("extract")
    assert done.text == "Title\na\tb\n\nlate".replace("\t", " ") and "<" not in done.text
    done = await driver.do("extract", "late")
    assert done.text == "late" and not done.change
    done = await driver.do("stop", answer="42")
    assert done.ok and done.text == "42"


async def test_dialogs_are_recorded_and_dismissed_unless_told(driver):
    await driver.show(
        "<button onclick=\"document.title=confirm('Sure?')\">ask</button>"
        "<button onclick=\"document.title=prompt('Name?','x')\">name</button>"
    )
    done = await driver.do("click", "ask")
    [dialog] = done.change.dialogs
    assert (dialog.kind, dialog.message, dialog.outcome) == ("confirm", "Sure?", "dismissed")
    assert driver.seen.title == "false"
    await driver.do("click", "ask", dialog="accept")
    assert driver.seen.title == "true"
    await driver.do("click", "name", dialog="accept", reply="Ada")
    assert driver.seen.title == "Ada"


async def test_what_cannot_be_done_is_said_so(driver):
    await driver.show(
        "<button>under</button><div style='position:fixed;inset:0'></div>"
        "<input aria-label=when type=date><button disabled>off</button>"
    )
    done = await driver.do("click", "under")
    assert "Something else covers it" in done.error
    done = await driver.do("type", "when", text="tomorrow")
    assert "values such as 2024-12-31" in done.error
    done = await driver.do("click", "off")
    assert "is disabled" in done.error
    done = await driver.do("press", key="Foo")
    assert "no such key" in done.error


async def test_an_element_that_went_away_is_named(driver):
    await driver.show("<button>stays</button><button id=b>goes</button>")
    gone = driver.find("goes")
    page = driver.browser.page
    await page.evaluate("document.getElementById('b').remove()")
    done = await driver.do("click", gone)
    assert f"[{gone.id}] is gone" in done.error
    done = await driver.do("click", gone)
    assert f"no element [{gone.id}]" in done.error


async def test_icons_that_come_late_are_waited_for(driver):
    def icon(handler):
        time.sleep(0.5)
        page(handler, ICON, kind="image/svg+xml")

    driver.site.pages["/icon.svg"] = icon
    await driver.show("<button>more</button><div></div>")
    await driver.browser.page.evaluate(
        "document.querySelector('button').onclick = () => {"
        " document.querySelector('div').innerHTML ="
        " '<style>.like { content: url(/icon.svg) }</style>"
        "<span class=like></span>' }"
    )
    await driver.do("click", "more")
    assert driver.find("(like)")
