// What an element is called, after the accessible name computation of the W3C in its main steps
// (told by id, label, alternative text, content, title), and in which state it is.

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
const TEXTLESS = new Set(['button', 'checkbox', 'color', 'file', 'hidden', 'image', 'radio',
  'reset', 'submit']);
// Fields that take one way of writing only; as states they tell which.
const FORMATS = new Set(['date', 'time', 'month', 'week', 'datetime-local', 'color']);
const MOST_NAME = 200;
const MOST_OPTIONS = 200;

const attribute = (e, name) => (e.getAttribute(name) || '').trim();
const flat = (text) => text.replace(/[\s\u200b]+/g, ' ').trim();

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
