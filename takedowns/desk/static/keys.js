// Keys click the buttons that are on screen; without this script every button still works.
// A decision key counts only for an item that has settled and was painted. Keys that come earlier are dropped:
// a key kept for later would judge an item nobody has read.

const root = document.documentElement;
const EDITABLE = 'textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=button], [type=submit])';

/** The item that may be decided now. */
let ready = null;

const shownItem = () => document.querySelector('[data-item]');
const status = () => document.getElementById('status');

/** Wait until htmx has taken over the item's forms and the browser has painted it. */
function settle() {
  const item = shownItem();
  ready = null;
  if (!item) return;
  const check = () => {
    if (shownItem() !== item) return;
    const wired = !item.querySelector('form[hx-post]:not([data-htmx-powered])');
    if (wired) ready = item;
    else requestAnimationFrame(check);
  };
  requestAnimationFrame(() => requestAnimationFrame(check));
}

/** A letter on any keyboard layout: by what it types, else by where it lies. */
function pressed(event) {
  if (/^[\x21-\x7e]$/.test(event.key)) return event.key.toLowerCase();
  if (/^Key[A-Z]$/.test(event.code)) return event.code.slice(3).toLowerCase();
  return event.key;
}

function ignored(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.repeat
    || event.isComposing || event.keyCode === 229 || event.defaultPrevented;
}

function leave(target) {
  if (target.matches(EDITABLE)) target.blur();
  const list = document.querySelector('#dismiss[open]');
  if (list) {
    list.open = false;
    list.querySelector('summary').focus();
  }
}

/** What a digit stands for: a reason while their list is open, else a kind of violation. */
function digit(key) {
  const reason = document.querySelector(`#dismiss[open] [data-reason="${key}"]`);
  if (reason) return press(reason);
  const category = document.querySelector(`[data-category="${key}"]`);
  if (!category) return false;
  category.checked = true;
  return true;
}

/** J and K move along rows where there are any. */
function moveRow(key) {
  const rows = [...document.querySelectorAll('a[data-row]')];
  if (!rows.length || !['j', 'k'].includes(key)) return false;
  const at = rows.indexOf(document.activeElement);
  const next = key === 'j' ? Math.min(at + 1, rows.length - 1) : Math.max(at - 1, 0);
  rows[next].focus();
  return true;
}

function press(element) {
  if ('decides' in element.dataset && ready !== shownItem()) return true;
  if (element.matches('textarea')) element.focus();
  else element.click();
  return true;
}

function onKey(event) {
  if (ignored(event)) return;
  if (event.key === 'Escape') return leave(event.target);
  if (event.target.matches(EDITABLE) || root.dataset.keys !== 'on') return;
  if (document.querySelector('dialog[open]')) return;
  const key = pressed(event);
  const element = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const done = /^[1-9]$/.test(key) ? digit(key) : element ? press(element) : moveRow(key);
  if (done) event.preventDefault();
}

/** Confirming needs a kind; the browser's own bubble would stay unread. */
function onClick(event) {
  const confirm = event.target.closest('button.confirm');
  const form = confirm?.form;
  if (form && !form.querySelector('[name=category]:checked')) {
    event.preventDefault();
    status().textContent = status().dataset.choose;
    form.querySelector('[name=category]').focus();
  }
  if (event.target.closest('#show-help')) document.getElementById('help').showModal();
}

function onSettled() {
  const item = shownItem();
  if (!item || ready === item) return;
  for (const back of document.querySelectorAll('input[name=back]')) back.value = location.pathname + location.search;
  status().textContent = item.dataset.says;
  item.querySelector('h1').focus();
  window.scrollTo(0, 0);
  settle();
}

function onFailed() {
  status().textContent = status().dataset.failed;
  settle();
}

document.addEventListener('keydown', onKey);
document.addEventListener('click', onClick);
document.addEventListener('htmx:before:request', () => { ready = null; });
document.addEventListener('htmx:after:settle', onSettled);
document.addEventListener('htmx:error', onFailed);
document.addEventListener('htmx:before:response', (event) => {
  // An error page has no place inside the item.
  const { status: code } = event.detail.ctx.response;
  if (code >= 400 && code !== 409) {
    event.preventDefault();
    onFailed();
  }
});
settle();
