// The page as rows, in the order in which they are read.

const SHAPES = new Set(['rect', 'circle', 'ellipse', 'polygon', 'line']);
// What is listed with a name of its own, and not looked into.
const MEDIA = new Set(['img', 'iframe', 'canvas', 'video', 'audio', 'progressbar', 'meter',
  'separator']);
// Containers that say nothing when they hold one thing only.
const WRAPPERS = new Set(['listitem', 'cell', 'gridcell', 'row', 'rowgroup', 'status', 'group',
  'article', 'list', 'table']);
const INSIDE = 'a[href],button,input,select,textarea,[onclick],[role],img,svg';

function activeElement() {
  let e = document.activeElement;
  while (e && e.shadowRoot && e.shadowRoot.activeElement) e = e.shadowRoot.activeElement;
  return e;
}

// options: next, the least number to give; most, the rows to return.
function read(options) {
  next = Math.max(next, options.next);
  for (const [id, ref] of nodes) if (!ref.deref()) nodes.delete(id);
  labels = new Map();
  gatherLabels(document);
  const rows = [];
  const focused = activeElement();
  const uploads = Array.from(document.querySelectorAll('input[type=file]')).some((e) => !drawn(e));
  const named = new Set(); // elements that a row of text is numbered after
  let full = false;
  let run = null; // text that is being gathered: its first node, its depth, its parts
  let owner = null; // the container whose row is open

  const emit = (node, role, name, depth, more = {}) => {
    if (rows.length >= options.most) { full = true; return null; }
    const row = [number(node), role, flat(name).slice(0, MOST_NAME), depth,
      flat(more.value || '').slice(0, MOST_NAME * 5), more.states || [], more.actions || [],
      more.options || [], more.href || ''];
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
    const free = parent && parent !== owner && !named.has(parent);
    if (free) named.add(parent);
    emit(free ? parent : node, 'text', text, depth);
  };

  // silent: text belongs to the name of something around it. pointer: so does the hand cursor.
  const visitAll = (e, depth, silent, pointer) => {
    for (const child of children(e)) {
      if (full) return;
      if (child.nodeType === 1) visit(child, depth, silent, pointer);
      else if (child.nodeType === 3 && !silent) {
        if (run) run.parts.push(child.data);
        else if (child.data.trim()) run = { node: child, depth, parts: [child.data] };
      }
    }
  };

  const visit = (e, depth, silent, pointer) => {
    const tag = e.tagName;
    if (SKIPPED.has(tag) || e.getAttribute('aria-hidden') === 'true') return;
    const style = getComputedStyle(e);
    if (!e.checkVisibility() && style.display !== 'contents') return;
    if (tag === 'BR') { if (run) run.parts.push(' '); return; }
    if (style.visibility !== 'visible') { visitAll(e, depth, true, pointer); return; }
    if (SHAPES.has(tag)) { shape(e, style, depth); return; }
    const role = roleOf(e);
    const points = style.cursor === 'pointer';
    if (!e.firstChild && !role && !silent && !points && !e.hasAttribute('onclick')
      && picture(e, style, depth)) return;
    if (tag === 'LABEL' && e.control && label(e, depth, silent, points)) return;
    const clicked = CLICKED.has(role) || (points && (!pointer || CONTAINERS.has(role)))
      || e.hasAttribute('onclick') || (e.tabIndex >= 0 && e.hasAttribute('tabindex'));
    const scrolls = (style.overflowY === 'auto' || style.overflowY === 'scroll')
      && e.scrollHeight > e.clientHeight + 1 && tag !== 'BODY' && tag !== 'HTML';
    const inline = style.display.startsWith('inline') || style.display === 'contents';
    if (tag === 'SELECT' || (clicked && !CONTAINERS.has(role) && tag !== 'IFRAME'
      && tag !== 'BODY' && tag !== 'HTML')) control(e, role, depth, points);
    else if (role === 'heading' && !silent) heading(e, depth, points);
    else if (MEDIA.has(role)) media(e, role, depth);
    else if (CONTAINERS.has(role) || scrolls) {
      container(e, role, depth, silent, points, clicked, scrolls);
    } else {
      if (!inline) flush();
      else if (run && style.display !== 'inline') run.parts.push(' ');
      visitAll(e, depth, silent, points);
      if (!inline) flush();
    }
  };

  const shape = (e, style, depth) => {
    const box = e.getBoundingClientRect();
    const place = `${Math.round(box.x + box.width / 2)},${Math.round(box.y + box.height / 2)}`;
    const size = `${Math.round(box.width)}x${Math.round(box.height)}`;
    const colour = attribute(e, 'fill') || style.fill;
    flush();
    emit(e, 'graphic', `${e.tagName.toLowerCase()} ${colour} ${size} at ${place}`, depth,
      { actions: ['click'] });
  };

  // A small thing without text that is drawn all the same: often a button without a role.
  const picture = (e, style, depth) => {
    const colour = style.backgroundColor;
    const plain = style.backgroundImage === 'none' && !style.content.startsWith('url(');
    if (plain && (colour === 'rgba(0, 0, 0, 0)' || colour === 'rgb(255, 255, 255)')) return false;
    const box = e.getBoundingClientRect();
    if (box.width < 6 || box.height < 6 || box.width > 120 || box.height > 120) return false;
    const name = attribute(e, 'title') || iconName(e);
    flush();
    emit(e, 'graphic', plain ? `${name} ${colour}` : name, depth, { actions: ['click'] });
    return true;
  };

  // A label stands for a control that is not drawn; of one that is, its text is the name.
  const label = (e, depth, silent, points) => {
    const its = e.control;
    const hidden = !drawn(its) || getComputedStyle(its).opacity === '0';
    if (!hidden && !labels.has(its)) return false;
    flush();
    if (hidden && !silent) {
      const role = roleOf(its);
      const states = statesOf(its, role, focused);
      const actions = its.type === 'file' ? ['upload'] : actionsOf(e, role, states, uploads);
      emit(e, role, textOf(e), depth, { value: valueOf(its, role), states, actions });
    } else visitAll(e, depth, true, points);
    return true;
  };

  // What reacts: its text is its name. A large thing without a role is a container besides.
  const control = (e, role, depth, points) => {
    flush();
    const large = !CLICKED.has(role) && e.firstElementChild
      && (e.querySelector(INSIDE) || e.childElementCount > 1);
    const shown = role || (points || e.hasAttribute('onclick') ? 'clickable' : 'generic');
    const states = statesOf(e, role, focused);
    const options = e.tagName !== 'SELECT' ? []
      : Array.from(e.options).slice(0, MOST_OPTIONS).map((one) => flat(one.label || one.text));
    const href = role === 'link' && e.href ? String(e.href.baseVal ?? e.href) : '';
    emit(e, shown, large ? attribute(e, 'aria-label') || attribute(e, 'title') : nameOf(e, role),
      depth, { value: valueOf(e, role), states, actions: actionsOf(e, role, states, uploads),
        options,
        href: href.startsWith(location.origin) ? href.slice(location.origin.length) : href });
    if (e.tagName === 'SELECT' || !(e.firstElementChild || e.shadowRoot)) return;
    visitAll(e, depth + 1, !large, points);
    flush();
  };

  const heading = (e, depth, points) => {
    flush();
    emit(e, 'heading', textOf(e), depth, { states: statesOf(e, 'heading', focused) });
    visitAll(e, depth + 1, true, points);
  };

  const media = (e, role, depth) => {
    const name = nameOf(e, role);
    if (!name && role === 'img') return;
    flush();
    emit(e, role, name, depth, { value: valueOf(e, role), states: statesOf(e, role, focused) });
  };

  const container = (e, role, depth, silent, points, clicked, scrolls) => {
    flush();
    const states = statesOf(e, role, focused);
    if (scrolls) states.push('scrollable');
    const at = rows.length;
    const row = emit(e, role || 'group', nameOf(e, CONTAINERS.has(role) ? role : 'group'), depth,
      { value: valueOf(e, role), states, actions: clicked ? ['click'] : [] });
    if (!row) return;
    const outer = owner;
    owner = e;
    visitAll(e, depth + 1, silent, points);
    flush();
    owner = outer;
    fold(row, at, role, states);
  };

  // A wrapper of one text takes it as its name; one of one element, or of nothing, goes.
  const fold = (row, at, role, states) => {
    if (full || !WRAPPERS.has(role) || row[2] || states.length) return;
    const held = rows.length - at - 1;
    if (held === 0 && !row[6].length) rows.length = at;
    if (held !== 1) return;
    const inner = rows[at + 1];
    if (inner[1] === 'text') { row[2] = inner[2]; rows.length = at + 1; }
    else { inner[3] = row[3]; rows.splice(at, 1); }
  };

  const root = document.body || document.documentElement;
  if (root) visit(root, 0, false, false);
  flush();
  return { rows, next, cut: full, born, title: document.title };
}
