// A Playwright selector engine that runs in a world of its own, which the page's scripts can
// neither see nor change. It numbers elements, and reads the page as an accessibility tree.
//
//   id:12           the element with that number
//   read:{...}      a detached element whose text is the tree as JSON
//   text:12         a detached element whose text is what a person reads there ("text:" all)
//   chosen:12       ... whose text is the list of the chosen options' indexes
//   scroll:{...}    scrolls, and ... whose text is "moved" or "end"
//   pulse           a detached element whose text differs when the page has changed
//
// What the engine returns must be an element, so answers travel as the text of one that is
// never put into the page.
(() => {
  const numbers = new WeakMap();
  const nodes = new Map();
  const born = `${performance.timeOrigin}-${Math.random()}`;
  let next = 1;
  let mutations = 0;
  let watched = null;

  const SKIPPED = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'NOSCRIPT', 'HEAD', 'META', 'LINK',
    'BASE', 'DATALIST', 'TITLE', 'PARAM', 'SOURCE', 'TRACK', 'COLGROUP', 'COL', 'RP']);
  const ROLES = {
    A: (e) => (e.hasAttribute('href') ? 'link' : ''), AREA: 'link', BUTTON: 'button',
    SUMMARY: 'button', SELECT: (e) => (e.multiple || e.size > 1 ? 'listbox' : 'combobox'),
    TEXTAREA: 'textbox', H1: 'heading', H2: 'heading', H3: 'heading', H4: 'heading',
    H5: 'heading', H6: 'heading', UL: 'list', OL: 'list', MENU: 'list', LI: 'listitem',
    TABLE: 'table', TR: 'row', TD: 'cell', TH: 'columnheader', NAV: 'navigation', MAIN: 'main',
    FORM: (e) => (attribute(e, 'aria-label') ? 'form' : ''), DIALOG: 'dialog', IMG: 'img',
    FIELDSET: 'group', IFRAME: 'iframe', FRAME: 'iframe', CANVAS: 'canvas', VIDEO: 'video',
    AUDIO: 'audio', PROGRESS: 'progressbar', METER: 'meter', OUTPUT: 'status',
    ARTICLE: 'article', ASIDE: 'complementary', SEARCH: 'search', OPTION: 'option',
    HEADER: '', FOOTER: '',
  };
  const INPUTS = {
    button: 'button', submit: 'button', reset: 'button', image: 'button', checkbox: 'checkbox',
    radio: 'radio', range: 'slider', number: 'spinbutton', search: 'searchbox',
    file: 'button', color: 'button',
  };
  const CLICKED = new Set(['button', 'link', 'checkbox', 'radio', 'switch', 'tab', 'menuitem',
    'menuitemcheckbox', 'menuitemradio', 'option', 'treeitem', 'combobox', 'textbox',
    'searchbox', 'spinbutton', 'slider', 'listbox']);
  const TYPED = new Set(['textbox', 'searchbox', 'spinbutton', 'slider']);
  const CONTAINERS = new Set(['list', 'listitem', 'table', 'row', 'cell', 'gridcell',
    'columnheader', 'rowheader', 'navigation', 'main', 'form', 'dialog', 'alertdialog',
    'group', 'article', 'complementary', 'search', 'radiogroup', 'menu', 'menubar', 'tablist',
    'tabpanel', 'tree', 'grid', 'toolbar', 'alert', 'status', 'region', 'rowgroup', 'listbox']);
  // Containers that say nothing when they hold one thing only.
  const WRAPPERS = new Set(['listitem', 'cell', 'gridcell', 'row', 'rowgroup', 'status', 'group',
    'article', 'list', 'table']);
  const SHAPES = new Set(['rect', 'circle', 'ellipse', 'polygon', 'line']);
  const TEXTLESS = new Set(['button', 'checkbox', 'color', 'file', 'hidden', 'image', 'radio',
    'reset', 'submit']);
  // Fields that take one way of writing only; as states they tell which.
  const FORMATS = new Set(['date', 'time', 'month', 'week', 'datetime-local', 'color']);
  const MOST_NAME = 200;
  const MOST_OPTIONS = 200;

  const attribute = (e, name) => (e.getAttribute(name) || '').trim();
  const flat = (text) => text.replace(/[\s\u200b]+/g, ' ').trim();

  function number(node) {
    let id = numbers.get(node);
    if (id === undefined) {
      id = next++;
      numbers.set(node, id);
      nodes.set(id, new WeakRef(node));
    }
    return id;
  }

  function watch() {
    if (watched === document.documentElement || !document.documentElement) return;
    watched = document.documentElement;
    new MutationObserver((list) => { mutations += list.length; }).observe(document, {
      subtree: true, childList: true, attributes: true, characterData: true });
  }

  // The nodes that are drawn inside an element: of its shadow tree, or put into its slot.
  function children(e) {
    if (e.shadowRoot) gatherLabels(e.shadowRoot);
    if (e.shadowRoot) return e.shadowRoot.childNodes;
    if (e.tagName === 'SLOT') {
      const assigned = e.assignedNodes();
      if (assigned.length) return assigned;
    }
    return e.childNodes;
  }

  function roleOf(e) {
    const given = attribute(e, 'role').split(/\s+/)[0].toLowerCase();
    if (given && given !== 'presentation' && given !== 'none') return given;
    if (e.tagName === 'INPUT') return INPUTS[e.type] || 'textbox';
    const own = ROLES[e.tagName];
    const role = typeof own === 'function' ? own(e) : own || '';
    if (!role && e.isContentEditable && !(e.parentElement && e.parentElement.isContentEditable)) {
      return 'textbox';
    }
    return given && !CLICKED.has(role) ? '' : role;
  }

  // What a person reads in an element, up to a bound of characters.
  function textOf(e, most = MOST_NAME) {
    if (!e.firstElementChild && !e.shadowRoot && e.tagName !== 'SLOT') {
      return flat(e.textContent.slice(0, most * 2));
    }
    const parts = [];
    let size = 0;
    const visit = (node) => {
      if (size > most) return;
      if (node.nodeType === 3) {
        parts.push(node.data);
        size += node.data.length;
      } else if (node.nodeType === 1 && !SKIPPED.has(node.tagName)) {
        if (node !== e) {
          if (attribute(node, 'aria-hidden') === 'true' || !drawn(node)) return;
          const said = attribute(node, 'aria-label') || (node.tagName === 'IMG' ? node.alt : '');
          if (said) { parts.push(' ', said, ' '); size += said.length; return; }
          if (node.tagName === 'SELECT' || node.tagName === 'TEXTAREA') return;
        }
        const inline = node === e || getComputedStyle(node).display.startsWith('inline');
        if (!inline) parts.push(' ');
        for (const child of children(node)) visit(child);
        if (!inline || node.tagName === 'BR') parts.push(' ');
      }
    };
    visit(e);
    return flat(parts.join(''));
  }

  function drawn(e) {
    return e.checkVisibility() || getComputedStyle(e).display === 'contents';
  }

  function byIds(e, name) {
    const root = e.getRootNode();
    return attribute(e, name).split(/\s+/).map((id) => root.getElementById && id
      && root.getElementById(id)).filter(Boolean).map((one) => textOf(one)).join(' ');
  }

  // `element.labels` walks the whole page for each field; so all labels are looked up at once.
  let labels = new Map();
  function gatherLabels(root) {
    for (const label of root.querySelectorAll('label')) {
      const control = label.control;
      if (!control) continue;
      if (!labels.has(control)) labels.set(control, []);
      labels.get(control).push(label);
    }
  }

  function labelsOf(e) {
    return (labels.get(e) || []).map((one) => textOf(one)).filter(Boolean).join(' ');
  }

  function nameOf(e, role) {
    const told = byIds(e, 'aria-labelledby') || attribute(e, 'aria-label') || labelsOf(e);
    if (told) return told;
    if (e.tagName === 'INPUT') {
      if (['button', 'submit', 'reset'].includes(e.type)) {
        return e.value || (e.type === 'button' ? '' : e.type) || attribute(e, 'title');
      }
      return attribute(e, 'alt') || attribute(e, 'title') || attribute(e, 'placeholder')
        || attribute(e, 'name');
    }
    if (e.tagName === 'TEXTAREA' || e.tagName === 'SELECT' || role === 'textbox') {
      return attribute(e, 'title') || attribute(e, 'placeholder')
        || attribute(e, 'aria-placeholder') || attribute(e, 'name');
    }
    if (e.tagName === 'IMG' || e.tagName === 'AREA') return attribute(e, 'alt') || attribute(e, 'title');
    if (e.tagName === 'IFRAME') return attribute(e, 'title') || attribute(e, 'name');
    if (e.tagName === 'FIELDSET') {
      const legend = e.querySelector(':scope > legend');
      return legend ? textOf(legend) : '';
    }
    if (CONTAINERS.has(role)) return attribute(e, 'title');
    return textOf(e) || attribute(e, 'title') || iconName(e);
  }

  // Many pages mark icons by classes alone.
  function iconName(e) {
    const image = e.querySelector && e.querySelector('img[alt], svg title');
    if (image) return image.alt || flat(image.textContent);
    const named = e.id || (typeof e.className === 'string' ? e.className : '');
    return named ? `(${flat(named).slice(0, 40)})` : '';
  }

  function valueOf(e, role) {
    if (e.tagName === 'INPUT') {
      if (e.type === 'password') return e.value ? '•••' : '';
      if (e.type === 'file') return Array.from(e.files || [], (f) => f.name).join(', ');
      return TEXTLESS.has(e.type) ? '' : e.value;
    }
    if (e.tagName === 'TEXTAREA') return e.value;
    if (e.tagName === 'SELECT') {
      return Array.from(e.selectedOptions, (one) => flat(one.label || one.text)).join(', ');
    }
    if (e.tagName === 'PROGRESS' || e.tagName === 'METER') return String(e.value);
    if (role === 'textbox' && e.isContentEditable) return textOf(e, 2000);
    return attribute(e, 'aria-valuetext') || attribute(e, 'aria-valuenow');
  }

  function statesOf(e, role, focused) {
    const states = [];
    const marked = e.getAttributeNames().some((name) => name.startsWith('aria-'));
    const aria = (name) => (marked ? attribute(e, `aria-${name}`) : '');
    if (/^H[1-6]$/.test(e.tagName)) states.push(`level=${e.tagName[1]}`);
    const checkable = e.tagName === 'INPUT' && (e.type === 'checkbox' || e.type === 'radio');
    const checked = checkable ? (e.indeterminate ? 'mixed' : String(e.checked)) : aria('checked');
    if (checked === 'true') states.push('checked');
    if (checked === 'mixed') states.push('mixed');
    if (aria('pressed') === 'true') states.push('pressed');
    if (aria('selected') === 'true' || (e.tagName === 'OPTION' && e.selected)) states.push('selected');
    const expanded = e.tagName === 'SUMMARY' && e.parentElement && e.parentElement.tagName === 'DETAILS'
      ? String(e.parentElement.open) : aria('expanded');
    if (expanded === 'true') states.push('expanded');
    if (expanded === 'false') states.push('collapsed');
    if (aria('current') && aria('current') !== 'false') states.push('current');
    if (e.disabled || aria('disabled') === 'true' || (CLICKED.has(role) && e.matches(':disabled'))) {
      states.push('disabled');
    }
    if (e.readOnly && TYPED.has(role)) states.push('readonly');
    if (e.required || aria('required') === 'true') states.push('required');
    if (aria('invalid') === 'true') states.push('invalid');
    if (e.multiple && e.tagName === 'SELECT') states.push('multiple');
    if (e.tagName === 'TEXTAREA' || aria('multiline') === 'true') states.push('multiline');
    if (e.tagName === 'INPUT' && FORMATS.has(e.type)) states.push(e.type);
    if (e.type === 'password') states.push('password');
    if (e === focused && e !== document.body) states.push('focused');
    return states;
  }

  function actionsOf(e, role, states, uploads) {
    if (states.includes('disabled')) return [];
    if (e.tagName === 'INPUT' && e.type === 'file') return ['upload'];
    const actions = [];
    if (e.tagName === 'SELECT') actions.push('select');
    else actions.push('click');
    const field = e.tagName === 'TEXTAREA' || e.isContentEditable
      || (e.tagName === 'INPUT' && !TEXTLESS.has(e.type));
    if (field && !states.includes('readonly')) actions.push('type');
    if (uploads && (role === 'button' || e.tagName === 'LABEL')) actions.push('upload');
    return actions;
  }

  function read(options) {
    next = Math.max(next, options.next);
    for (const [id, ref] of nodes) if (!ref.deref()) nodes.delete(id);
    labels = new Map();
    gatherLabels(document);
    const rows = [];
    let focused = document.activeElement;
    while (focused && focused.shadowRoot && focused.shadowRoot.activeElement) {
      focused = focused.shadowRoot.activeElement;
    }
    const uploads = Array.from(document.querySelectorAll('input[type=file]'))
      .some((one) => !drawn(one));
    let run = null; // text that is still being gathered: its first node, and its parts
    let full = false;

    const emit = (node, role, name, depth, value = '', states = [], actions = [], options_ = [], href = '') => {
      if (rows.length >= options.most) { full = true; return null; }
      const row = [number(node), role, flat(name).slice(0, MOST_NAME), depth,
        flat(value).slice(0, MOST_NAME * 5), states, actions, options_, href];
      rows.push(row);
      return row;
    };
    const flush = () => {
      if (!run) return;
      const { node, depth, parts } = run;
      run = null;
      const text = flat(parts.join(''));
      if (!text) return;
      // The element is the better identity: its text node may be replaced with each change.
      const parent = node.parentElement;
      const owned = parent && (parent === run_owner || taken.has(parent));
      if (parent && !owned) taken.add(parent);
      emit(parent && !owned ? parent : node, 'text', text, depth);
    };
    const taken = new Set();
    let run_owner = null;

    const visitAll = (e, depth, silent, pointer) => {
      for (const child of children(e)) {
        if (full) return;
        if (child.nodeType === 3) {
          if (silent) continue;
          if (run) run.parts.push(child.data);
          else if (child.data.trim()) run = { node: child, depth, parts: [child.data] };
        } else if (child.nodeType === 1) visit(child, depth, silent, pointer);
      }
    };

    const shape = (e, depth) => {
      const tag = e.tagName.toLowerCase();
      const style = getComputedStyle(e);
      const box = e.getBoundingClientRect();
      const size = `${Math.round(box.width)}x${Math.round(box.height)}`
        + ` at ${Math.round(box.x + box.width / 2)},${Math.round(box.y + box.height / 2)}`;
      emit(e, 'graphic', `${tag} ${attribute(e, 'fill') || style.fill} ${size}`, depth, '', [], ['click']);
    };

    // A small thing without text that is drawn all the same: often a button without a role.
    const picture = (e, style, depth) => {
      const colour = style.backgroundColor;
      const plain = style.backgroundImage === 'none' && !style.content.startsWith('url(');
      if (plain && (colour === 'rgba(0, 0, 0, 0)' || colour === 'rgb(255, 255, 255)')) return false;
      const box = e.getBoundingClientRect();
      if (box.width < 6 || box.height < 6 || box.width > 120 || box.height > 120) return false;
      const named = attribute(e, 'title') || iconName(e);
      flush();
      emit(e, 'graphic', plain ? `${named} ${colour}` : named, depth, '', [], ['click']);
      return true;
    };

    const visit = (e, depth, silent, pointer) => {
      const tag = e.tagName;
      if (SKIPPED.has(tag) || e.getAttribute('aria-hidden') === 'true') return;
      const style = getComputedStyle(e);
      if (!e.checkVisibility() && style.display !== 'contents') return;
      if (tag === 'BR') { if (run) run.parts.push(' '); return; }
      if (style.visibility !== 'visible') { visitAll(e, depth, true, pointer); return; }
      if (SHAPES.has(tag)) {
        flush();
        shape(e, depth);
        return;
      }
      const role = roleOf(e);
      const points = style.cursor === 'pointer';
      const clicked = CLICKED.has(role) || (points && (!pointer || CONTAINERS.has(role))) || e.hasAttribute('onclick')
        || (e.tabIndex >= 0 && e.hasAttribute('tabindex'));
      const control = tag === 'LABEL' ? e.control : null;
      if (control && !silent && !(drawn(control) && getComputedStyle(control).opacity !== '0')) {
        const its = roleOf(control);
        flush();
        const states = statesOf(control, its, focused);
        emit(e, its, textOf(e), depth, valueOf(control, its), states,
          control.type === 'file' ? ['upload'] : actionsOf(e, its, states, uploads));
        return;
      }
      if (!e.firstChild && !role && !silent && !points && !e.hasAttribute('onclick')
        && picture(e, style, depth)) return;
      if (control && labels.has(control)) { // its text is the control's name
        flush();
        visitAll(e, depth, true, points);
        return;
      }
      const clickable = clicked && !CONTAINERS.has(role) && tag !== 'IFRAME' && tag !== 'BODY'
        && tag !== 'HTML';
      if (clickable || tag === 'SELECT') {
        flush();
        const shown = role || (points || e.hasAttribute('onclick') ? 'clickable' : 'generic');
        // A large thing that reacts to clicks is a container; its parts are listed, too.
        const large = !CLICKED.has(role) && e.firstElementChild && (e.querySelector(
          'a[href],button,input,select,textarea,[onclick],[role],img,svg') || e.childElementCount > 1);
        const states = statesOf(e, role, focused);
        const options_ = tag === 'SELECT'
          ? Array.from(e.options).slice(0, MOST_OPTIONS).map((one) => flat(one.label || one.text)) : [];
        const href = role === 'link' && e.href ? String(e.href.baseVal ?? e.href) : '';
        emit(e, shown, large ? attribute(e, 'aria-label') || attribute(e, 'title') : nameOf(e, role),
          depth, valueOf(e, role), states, actionsOf(e, role, states, uploads), options_,
          href.startsWith(location.origin) ? href.slice(location.origin.length) : href);
        if (tag !== 'SELECT' && e.firstElementChild) {
          visitAll(e, depth + 1, !large, points);
          if (large) flush();
        }
        return;
      }
      if (role === 'heading' && !silent) {
        flush();
        emit(e, role, textOf(e), depth, '', statesOf(e, role, focused));
        visitAll(e, depth + 1, true, points);
        return;
      }
      if (['img', 'iframe', 'canvas', 'video', 'audio', 'progressbar', 'meter', 'separator'].includes(role)) {
        const name = nameOf(e, role);
        if (name || role !== 'img') {
          flush();
          emit(e, role, name, depth, valueOf(e, role), statesOf(e, role, focused));
        }
        return;
      }
      const scrolls = (style.overflowY === 'auto' || style.overflowY === 'scroll')
        && e.scrollHeight > e.clientHeight + 1 && tag !== 'BODY' && tag !== 'HTML';
      if (CONTAINERS.has(role) || scrolls) {
        flush();
        const states = statesOf(e, role, focused);
        if (scrolls) states.push('scrollable');
        const name = nameOf(e, CONTAINERS.has(role) ? role : 'group');
        const at = rows.length;
        const row = emit(e, role || 'group', name, depth, valueOf(e, role), states,
          clicked ? ['click'] : []);
        if (!row) return;
        const before = run_owner;
        run_owner = e;
        visitAll(e, depth + 1, silent, points);
        flush();
        run_owner = before;
        fold(row, at, role, states);
        return;
      }
      const inline = style.display.startsWith('inline') || style.display === 'contents';
      if (!inline) flush();
      else if (run && style.display !== 'inline') run.parts.push(' ');
      visitAll(e, depth, silent, points);
      if (!inline) flush();
    };

    // A wrapper of one text takes it as its name; one of one element, or of nothing, goes.
    const fold = (row, at, role, states) => {
      if (full || !WRAPPERS.has(role) || row[2] || states.length) return;
      const held = rows.length - at - 1;
      if (held === 0 && !row[6].length) rows.length = at;
      else if (held === 1) {
        const inner = rows[at + 1];
        if (inner[1] === 'text') { row[2] = inner[2]; rows.length = at + 1; }
        else { inner[3] = row[3]; rows.splice(at, 1); }
      }
    };

    if (document.body || document.documentElement) {
      visit(document.body || document.documentElement, 0, false, false);
      flush();
    }
    return { rows, next, cut: full, born, title: document.title };
  }

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

  function lookUp(id) {
    const node = nodes.get(id) && nodes.get(id).deref();
    if (!node || !node.isConnected) return null;
    return node.nodeType === 1 ? node : node.parentElement;
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
})()
