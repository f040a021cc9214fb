"""Pages that do what no page should: each ends in a clear outcome, within its time."""

from __future__ import annotations

import asyncio
import time

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]


HASTY = {"timeout": 3.0, "load_timeout": 4.0}
"""For pages that never answer."""


async def still_works(driver):
    """The browser is of use after all that."""
    done = await driver.show("<p>fine</p>", path="/fine")
    assert done.ok, done.error
    assert "fine" in driver.text


async def test_never_loads(opened):
    driver = await opened(**HASTY)
    ended = []

    def hang(handler):
        while not ended:
            time.sleep(0.05)

    driver.site.pages["/hang"] = hang
    try:
        done = await driver.show(path="/hang")
        assert not done.ok and "not done within 4 seconds" in done.error
        await still_works(driver)
    finally:
        ended.append(1)


async def test_half_a_page_is_shown_as_far_as_it_came(opened):
    driver = await opened(**HASTY)
    ended = []

    def half(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(b"<p>first half</p>" + b" " * 4096)
        handler.wfile.flush()
        while not ended:
            time.sleep(0.05)

    driver.site.pages["/half"] = half
    try:
        done = await driver.show(path="/half")
        assert not done.ok and "first half" in driver.text
        await still_works(driver)
    finally:
        ended.append(1)


async def test_redirects_for_ever(driver):
    def again(handler):
        handler.send_response(302)
        handler.send_header("Location", "/again")
        handler.end_headers()

    driver.site.pages["/again"] = again
    done = await driver.show(path="/again")
    assert "redirect" in done.error
    await still_works(driver)


async def test_reloads_itself_for_ever(opened):
    driver = await opened(**HASTY)
    done = await driver.show("<p>again</p><script>location.reload()</script>")
    assert len(driver.site.asked) > 1
    assert done.observation.problem or "again" in driver.text or not driver.seen.elements
    await still_works(driver)


async def test_dialogs_without_end(driver):
    await driver.show("<button onclick=\"while(true)alert('more')\">go</button>")
    done = await driver.do("click", "go")
    assert len(done.change.dialogs) == 10
    assert driver.seen.problem == "The page opened dialogs without end."
    done = await driver.do("press", key="Enter")
    assert "dialogs without end" in done.error
    await still_works(driver)


async def test_popups_without_end(driver):
    await driver.show(
        "<button onclick=\"for(let i=0;i<40;i++)window.open('/')\">go</button><p>text</p>",
    )
    done = await driver.do("click", "go")
    assert len(driver.seen.tabs) == 12
    assert "a tab beyond 12 was closed" in done.change.refused
    for _ in range(len(driver.seen.tabs)):
        done = await driver.do("close_tab")
        assert done.ok
    await still_works(driver)


async def test_blocks_the_main_thread(opened):
    driver = await opened(**HASTY)
    await driver.show("<button onclick='while(true);'>go</button>")
    begun = time.monotonic()
    await driver.do("click", "go")
    assert driver.seen.problem == "The page does not answer."
    done = await driver.do("extract")
    assert not done.ok
    assert time.monotonic() - begun < 25
    await still_works(driver)


async def test_blocks_while_it_loads(opened):
    driver = await opened(**HASTY)
    done = await driver.show("<p>x</p><script>while(true);</script>")
    assert not done.ok and driver.seen.problem
    await still_works(driver)


async def test_crashes_the_renderer(driver):
    await driver.show("<p>before</p>")
    page = driver.browser.page
    session = await page.context.new_cdp_session(page)
    crash = asyncio.ensure_future(session.send("Page.crash"))
    await asyncio.sleep(0.5)
    crash.cancel()
    seen = await driver.look()
    assert seen.problem == "The page crashed."
    done = await driver.do("scroll", direction="down")
    assert not done.ok and "crashed" in done.error
    await still_works(driver)
    assert len(driver.seen.tabs) == 1


async def test_the_browser_itself_is_gone(opened):
    driver = await opened()
    from yunjue.errors import BrowserError

    await driver.show("<p>before</p>")
    await driver.browser._chromium.close()
    with pytest.raises(BrowserError, match="has ended"):
        await driver.do("extract")
    await driver.browser.close()


async def test_mutates_while_it_is_read(driver):
    await driver.show(
        "<ul></ul><script>let n=0;setInterval(()=>{const u=document.querySelector('ul');"
        "for(let i=0;i<20;i++){const l=document.createElement('li');"
        "l.innerHTML='<button>b'+(n++)+'</button>';u.append(l)}"
        "while(u.children.length>100)u.firstChild.remove()},5)</script>"
    )
    known = {}
    for _ in range(5):
        seen = await driver.look()
        assert not seen.problem
        for one in seen.elements:  # a number never means another element
            if one.role == "button":
                assert known.setdefault(one.id, one.name) == one.name
    assert len(known) > 100


async def test_changes_the_ids_in_its_html(driver):
    await driver.show(
        "<button id=a>first</button><button id=b>second</button>"
        "<script>setInterval(()=>{for(const e of document.querySelectorAll('button'))"
        "e.id='i'+Math.random()},10)</script>"
        "<script>document.querySelectorAll('button')[1].onclick=()=>document.title='right'</script>"
    )
    before = driver.find("second").id
    await driver.look()
    assert driver.find("second").id == before
    await driver.do("click", "second")
    assert driver.seen.title == "right"


async def test_download_of_two_gigabytes_is_cancelled(opened, site, downloads):
    sent = []

    def send(handler):
        handler.send_response(200)
        handler.send_header("Content-Disposition", "attachment; filename=big.bin")
        handler.send_header("Content-Length", str(2 << 30))
        handler.end_headers()
        for _ in range(2048):
            handler.wfile.write(bytes(1 << 20))
            sent.append(1)

    site.pages["/big"] = send
    driver = await opened(most_download_bytes=8 << 20)
    await driver.show("<a href=/big>get</a>")
    done = await driver.do("click", "get")
    [big] = done.change.downloads
    assert big.path is None and "cancelled: more than 8388608 bytes" in big.problem
    assert len(sent) < 1024
    assert not list(downloads.glob("big*"))
    await still_works(driver)


async def test_frames_in_frames_without_end(opened):
    driver = await opened(**HASTY)
    await driver.show("<p>level</p><iframe src='/?again'></iframe><iframe src='/?more'></iframe>")
    seen = await driver.look()
    assert not seen.problem and len([e for e in seen.elements if e.role == "iframe"]) < 60
    await still_works(driver)
