/**
 * The one script of the pages: keeps them fresh, copies commands, shows local time, puts `/` in the search. All works without it.
 * Parts marked `data-live` are replaced by their successors every ten seconds.
 */
'use strict';
(() => {
  const everyMs = 10000;
  const live = document.getElementById('live');
  let paused = false;
  let busy = false;

  /** @param {string} text */
  const say = (text) => {
    const state = live && live.querySelector('[role=status]');
    if (state) state.textContent = text;
  };

  // Somebody who marks a command to copy it must not lose the mark.
  const isSelecting = () => {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed;
  };

  /**
   * An element that has focus is found again by its place among its equals.
   * @param {Element} part
   */
  const placeOf = (part) => {
    const active = document.activeElement;
    if (!active || !part.contains(active)) return undefined;
    const selector = active.tagName.toLowerCase();
    const href = active.getAttribute('href');
    const all = [...part.querySelectorAll(selector)].filter((other) => other.getAttribute('href') === href);
    return { selector, href, index: all.indexOf(active) };
  };
  /**
   * @param {Element} part
   * @param {NonNullable<ReturnType<typeof placeOf>>} place
   */
  const focusAt = (part, place) => {
    const all = [...part.querySelectorAll(place.selector)].filter((other) => other.getAttribute('href') === place.href);
    const found = all[place.index] || all[0];
    if (found instanceof HTMLElement || found instanceof SVGElement) found.focus({ preventScroll: true });
  };

  /**
   * @param {Element} part
   * @param {Element} fresh
   */
  const replace = (part, fresh) => {
    if (part.innerHTML === fresh.innerHTML) return;
    const place = placeOf(part);
    const open = [...part.querySelectorAll('details')].map((details) => details.open);
    const across = [...part.querySelectorAll('.scroll, pre')].map((box) => box.scrollLeft);
    part.replaceChildren(...fresh.childNodes);
    part.querySelectorAll('details').forEach((details, index) => {
      details.open = open[index] || false;
    });
    part.querySelectorAll('.scroll, pre').forEach((box, index) => {
      box.scrollLeft = across[index] || 0;
    });
    if (place) focusAt(part, place);
  };

  /**
   * Browsers allow the clipboard only on HTTPS and localhost; elsewhere the button would be a lie.
   * @param {ParentNode} root
   */
  const addCopy = (root) => {
    if (!window.isSecureContext) return;
    for (const box of root.querySelectorAll('.code')) {
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
        setTimeout(() => {
          button.textContent = 'Copy';
        }, 2000);
      });
      box.append(button);
    }
  };

  // Local time beside UTC: on hover, and in its place where the reader wants it. Nobody else is told.
  const remembered = () => {
    try {
      return localStorage.getItem('times') === 'local';
    } catch {
      return false;
    }
  };
  /** @param {boolean} local */
  const remember = (local) => {
    try {
      localStorage.setItem('times', local ? 'local' : 'utc');
    } catch {
      /* for this page only */
    }
  };
  let isLocal = remembered();
  /** @param {number} number */
  const two = (number) => String(number).padStart(2, '0');
  /** @param {Date} date */
  const dayOf = (date) => date.getFullYear() + '-' + two(date.getMonth() + 1) + '-' + two(date.getDate());
  /** @param {Date} date */
  const zoneOf = (date) => {
    const parts = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(date);
    const zone = parts.find((part) => part.type === 'timeZoneName');
    return zone ? zone.value : 'local';
  };
  /** @param {Date} date */
  const localOf = (date) => {
    const clock =
      two(date.getHours()) + ':' + two(date.getMinutes()) + ':' + two(date.getSeconds()) + ' ' + zoneOf(date);
    return dayOf(date) === dayOf(new Date()) ? clock : dayOf(date) + ' ' + clock;
  };
  const utcClock = /(?:[0-9]{4}-[0-9]{2}-[0-9]{2} )?[0-9]{2}:[0-9]{2}(?::[0-9]{2})? UTC/;
  /**
   * What a text says in UTC.
   * @type {WeakMap<Text, string>}
   */
  const utcTexts = new WeakMap();
  /** @param {ParentNode} root */
  const showTimes = (root) => {
    /** @type {NodeListOf<HTMLTimeElement>} */
    const times = root.querySelectorAll('time[datetime]');
    for (const time of times) {
      const date = new Date(time.dateTime);
      if (Number.isNaN(date.getTime())) continue;
      const local = localOf(date);
      time.title = 'Local time: ' + local;
      const texts = document.createTreeWalker(time, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        const text = texts.currentNode;
        if (!(text instanceof Text)) continue;
        const utc = utcTexts.get(text) ?? text.data;
        utcTexts.set(text, utc);
        text.data = isLocal ? utc.replace(utcClock, local) : utc;
      }
    }
  };
  const sayZone = () => {
    const words = document.querySelector('[data-zone]');
    if (words)
      words.textContent = isLocal
        ? 'Times are local (' + zoneOf(new Date()) + '); those that say UTC are UTC.'
        : 'All times are UTC.';
  };

  /**
   * @template {ParentNode} T
   * @param {T} root
   */
  const completed = (root) => {
    addCopy(root);
    showTimes(root);
    return root;
  };

  const refresh = async () => {
    if (paused || busy || document.hidden || isSelecting()) return;
    busy = true;
    try {
      const answer = await fetch(location.pathname + location.search, {
        headers: { Accept: 'text/html' },
        signal: AbortSignal.timeout(8000),
      });
      if (answer.status >= 500) throw new Error('status ' + answer.status);
      const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (paused || isSelecting()) return;
      for (const part of document.querySelectorAll('[data-live]')) {
        const fresh = next.getElementById(part.id);
        if (fresh) replace(part, completed(document.importNode(fresh, true)));
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

  if (live) {
    const zone = document.createElement('button');
    zone.type = 'button';
    zone.className = 'zone';
    zone.textContent = 'Local';
    zone.setAttribute('aria-label', 'Local time');
    const more = document.createElement('span');
    more.textContent = ' time';
    zone.append(more);
    zone.setAttribute('aria-pressed', String(isLocal));
    zone.addEventListener('click', () => {
      isLocal = !isLocal;
      remember(isLocal);
      zone.setAttribute('aria-pressed', String(isLocal));
      showTimes(document);
      sayZone();
    });
    live.append(zone);
  }
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
    live.prepend(state, button);
    setInterval(() => void refresh(), everyMs);
    document.addEventListener('visibilitychange', () => void refresh());
  }

  completed(document);
  sayZone();

  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const at = event.target;
    if (at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName))) return;
    const search = document.querySelector('input[type=search]');
    if (!(search instanceof HTMLInputElement)) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
})();
