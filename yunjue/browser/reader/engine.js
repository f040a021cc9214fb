// The selector engine: questions that come as selectors, and answers that leave as elements.
//
//   id:12           the element with that number
//   read:{...}      an element whose text is the tree as JSON
//   text:12         ... whose text is what a person reads there (of all without a number)
//   chosen:12       ... whose text is the list of the chosen options' indexes
//   scroll:{...}    scrolls, and ... whose text is "moved" or "end"
//   pulse           ... whose text differs when the page has changed
//
// An engine must return elements, so answers travel as the text of one that is never put into
// the page.

// Scrolls by most of a screen: the element, else what scrolls around it, else the page, else
// the largest part of it that scrolls.
function scroll({ id, x, y }) {
  const can = (e) => e && (y ? e.scrollHeight > e.clientHeight + 1 : e.scrollWidth > e.clientWidth + 1)
    && (e === document.scrollingElement
      || /auto|scroll/.test(getComputedStyle(e)[y ? 'overflowY' : 'overflowX']) || e.tagName === 'TEXTAREA');
  let e = id ? lookUp(id) : document.scrollingElement;
  while (id && e && !can(e)) e = e.parentElement || (e.getRootNode() && e.getRootNode().host);
  if (!can(e)) {
    const area = (one) => one.clientWidth * one.clientHeight;
    e = Array.from(document.querySelectorAll('*')).filter(can).sort((a, b) => area(b) - area(a))[0];
  }
  if (!e) return 'end';
  const before = [e.scrollLeft, e.scrollTop];
  e.scrollBy({ left: x * e.clientWidth * 0.8, top: y * e.clientHeight * 0.8, behavior: 'instant' });
  return before[0] === e.scrollLeft && before[1] === e.scrollTop ? 'end' : 'moved';
}

function answer(text) {
  const e = document.createElement('pre');
  e.textContent = text;
  return e;
}

function query(selector) {
  watch();
  const at = selector.indexOf(':');
  const what = at < 0 ? selector : selector.slice(0, at);
  const rest = at < 0 ? '' : selector.slice(at + 1);
  if (what === 'id') return lookUp(Number(rest));
  if (what === 'read') return answer(JSON.stringify(read(JSON.parse(rest))));
  if (what === 'chosen') {
    const e = lookUp(Number(rest));
    return e && answer(JSON.stringify(Array.from(e.options || [], (one, i) => (one.selected ? i : -1))
      .filter((i) => i >= 0)));
  }
  if (what === 'scroll') return answer(scroll(JSON.parse(rest)));
  if (what === 'pulse') return answer(`${born} ${mutations} ${document.readyState}`);
  if (what === 'text') {
    const e = rest ? lookUp(Number(rest)) : document.body;
    if (!e) return null;
    const field = e.tagName === 'TEXTAREA' || (e.tagName === 'INPUT' && e.type !== 'password');
    return answer(field ? e.value : 'innerText' in e ? e.innerText : textOf(e, 100000));
  }
  throw new Error(`unknown question ${what}`);
}

return {
  query: (root, selector) => query(selector),
  queryAll: (root, selector) => [query(selector)].filter(Boolean),
};
