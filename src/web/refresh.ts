/** The one script of the pages: keeps them fresh, and adds buttons to copy commands. All works without it. */

/** Plain JavaScript for the browser; parts marked `data-live` are replaced by their successors every ten seconds. */
export const refreshScript = `'use strict';
(() => {
  const everyMs = 10000;
  const live = document.getElementById('live');
  let paused = false;
  let busy = false;

  const say = (text) => { if (live && live.firstChild) live.firstChild.textContent = text; };

  // Somebody who marks a command to copy it must not lose the mark.
  const isSelecting = () => {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed;
  };

  // An element that has focus is found again by its place among its equals.
  const placeOf = (part) => {
    const active = document.activeElement;
    if (!active || !part.contains(active)) return undefined;
    const selector = active.tagName.toLowerCase();
    const href = active.getAttribute('href');
    const all = [...part.querySelectorAll(selector)].filter((other) => other.getAttribute('href') === href);
    return { selector, href, index: all.indexOf(active) };
  };
  const focusAt = (part, place) => {
    const all = [...part.querySelectorAll(place.selector)].filter((other) => other.getAttribute('href') === place.href);
    const found = all[place.index] || all[0];
    if (found) found.focus({ preventScroll: true });
  };

  const replace = (part, fresh) => {
    if (part.innerHTML === fresh.innerHTML) return;
    const place = placeOf(part);
    const open = [...part.querySelectorAll('details')].map((details) => details.open);
    const across = [...part.querySelectorAll('.scroll, pre')].map((box) => box.scrollLeft);
    part.replaceChildren(...fresh.childNodes);
    part.querySelectorAll('details').forEach((details, index) => { details.open = open[index] || false; });
    part.querySelectorAll('.scroll, pre').forEach((box, index) => { box.scrollLeft = across[index] || 0; });
    if (place) focusAt(part, place);
  };

  const refresh = async () => {
    if (paused || busy || document.hidden || isSelecting()) return;
    busy = true;
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { Accept: 'text/html' }, signal: AbortSignal.timeout(8000) });
      if (answer.status >= 500) throw new Error('status ' + answer.status);
      const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (paused || isSelecting()) return;
      for (const part of document.querySelectorAll('[data-live]')) {
        const fresh = next.getElementById(part.id);
        if (fresh) replace(part, document.importNode(fresh, true));
      }
      document.title = next.title;
      say('Live');
      document.documentElement.classList.remove('stale');
    } catch {
      say('No answer from the exporter');
      document.documentElement.classList.add('stale');
    } finally {
      busy = false;
    }
  };

  if (live && document.querySelector('[data-live]')) {
    const state = document.createElement('span');
    state.setAttribute('role', 'status');
    state.textContent = 'Live';
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Pause';
    button.addEventListener('click', () => {
      paused = !paused;
      button.textContent = paused ? 'Resume' : 'Pause';
      say(paused ? 'Paused' : 'Live');
      if (!paused) void refresh();
    });
    live.append(state, button);
    setInterval(() => void refresh(), everyMs);
    document.addEventListener('visibilitychange', () => void refresh());
  }

  // Browsers allow the clipboard only on HTTPS and localhost; elsewhere the button would be a lie.
  if (navigator.clipboard && window.isSecureContext) {
    for (const box of document.querySelectorAll('.code')) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'copy';
      button.textContent = 'Copy';
      button.addEventListener('click', async () => {
        const code = box.querySelector('code');
        try {
          await navigator.clipboard.writeText(code ? code.textContent : '');
          button.textContent = 'Copied';
        } catch {
          button.textContent = 'Not allowed';
        }
        setTimeout(() => { button.textContent = 'Copy'; }, 2000);
      });
      box.append(button);
    }
  }
})();
`;
