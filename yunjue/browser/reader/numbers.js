// Numbers of elements, kept for as long as the page lives; and whether the page has changed.

const numbers = new WeakMap();
const nodes = new Map();
const born = `${performance.timeOrigin}-${Math.random()}`;
let next = 1;
let mutations = 0;
let watched = null;

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

function lookUp(id) {
  const node = nodes.get(id) && nodes.get(id).deref();
  if (!node || !node.isConnected) return null;
  return node.nodeType === 1 ? node : node.parentElement;
}
