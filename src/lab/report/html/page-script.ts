/**
 * What a page does when it is used: tabs, and a time line that is walked with the arrow keys. Everything is there
 * without it, one below the other. It reads nothing but the page and makes no HTML.
 */

export const PAGE_SCRIPT = `'use strict';
(() => {
  const all = (root, query) => Array.from(root.querySelectorAll(query));
  const moved = (key, upright) => {
    if (key === 'Home' || key === 'End') return key;
    if (key === (upright ? 'ArrowDown' : 'ArrowRight')) return 1;
    if (key === (upright ? 'ArrowUp' : 'ArrowLeft')) return -1;
    return null;
  };
  const next = (list, at, step) => {
    if (step === 'Home') return list[0];
    if (step === 'End') return list[list.length - 1];
    return list[(at + step + list.length) % list.length];
  };

  for (const list of all(document, '[role=tablist]')) {
    const tabs = all(list, '[role=tab]');
    const upright = list.getAttribute('aria-orientation') === 'vertical';
    const select = (tab, focus) => {
      for (const one of tabs) {
        const chosen = one === tab;
        one.setAttribute('aria-selected', String(chosen));
        one.tabIndex = chosen ? 0 : -1;
        const panel = document.getElementById(one.getAttribute('aria-controls'));
        if (panel) panel.hidden = !chosen;
      }
      if (focus) {
        tab.focus();
        tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      }
      showCrash(document.getElementById(tab.getAttribute('aria-controls')));
    };
    list.addEventListener('click', (event) => {
      const tab = event.target.closest('[role=tab]');
      if (tab) select(tab, false);
    });
    list.addEventListener('keydown', (event) => {
      const at = tabs.indexOf(event.target);
      const step = moved(event.key, upright) ?? moved(event.key, !upright);
      if (at < 0 || step === null || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      select(next(tabs, at, step), true);
    });
    list.dataset.ready = '';
    queueMicrotask(() => select(tabs.find((tab) => tab.getAttribute('aria-selected') === 'true') ?? tabs[0], false));
  }

  function showCrash(panel) {
    const place = panel && !panel.hidden ? panel.querySelector('.scroll') : null;
    const crash = place && place.querySelector('th.crash, th.ghost');
    if (!crash || place.dataset.shown) return;
    place.dataset.shown = '1';
    place.scrollLeft = Math.max(0, crash.offsetLeft - place.clientWidth * 0.7);
  }

  for (const line of all(document, '.timeline')) {
    const detail = line.querySelector('.detail');
    const calls = all(line, 'button.call');
    const rowOf = (call) => call.closest('tr');
    const columnOf = (call) => call.closest('td').cellIndex;
    calls.sort((a, b) => columnOf(a) - columnOf(b));
    const choose = (call, focus) => {
      for (const one of calls) {
        one.tabIndex = one === call ? 0 : -1;
        one.toggleAttribute('data-chosen', one === call);
      }
      detail.textContent = call.querySelector('.unseen').textContent;
      if (focus) {
        call.focus();
        call.scrollIntoView({ block: 'nearest', inline: 'center' });
      }
    };
    calls.forEach((one, at) => (one.tabIndex = at === 0 ? 0 : -1));
    const first = calls.find((call) => call.matches('.lost, .shown'));
    if (first) choose(first, false);
    line.addEventListener('focusin', (event) => {
      if (calls.includes(event.target)) choose(event.target, false);
    });
    line.addEventListener('click', (event) => {
      const call = event.target.closest('button.call');
      if (call) choose(call, false);
    });
    line.addEventListener('keydown', (event) => {
      const at = calls.indexOf(event.target);
      if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
      const along = moved(event.key, false);
      const across = moved(event.key, true);
      let to = null;
      if (along !== null) to = next(calls, at, along);
      else if (across !== null) {
        const rows = all(line, 'tbody tr').filter((row) => row.querySelector('button.call'));
        const row = rows[rows.indexOf(rowOf(event.target)) + across];
        const column = columnOf(event.target);
        const near = (call) => Math.abs(columnOf(call) - column);
        if (row) to = all(row, 'button.call').reduce((a, b) => (near(b) < near(a) ? b : a));
      }
      if (along === null && across === null) return;
      event.preventDefault();
      if (to) choose(to, true);
    });
  }
})();
`;
