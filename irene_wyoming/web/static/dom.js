// Building blocks. Text only ever becomes a text node, so that nothing that was said or named can become a tag.

/** An element with attributes and children; a child is text or an element. Attributes that are null are left out. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const find = (id) => document.getElementById(id);

/** Show one element per item, made once and then updated, in the order of the items. */
export function keyed(parent, items, key, make, update, empty) {
  const known = (parent.known ??= new Map());
  const wanted = new Set(items.map(key));
  for (const [id, element] of known) {
    if (!wanted.has(id)) {
      element.remove();
      known.delete(id);
    }
  }
  parent.querySelector(":scope > .empty")?.remove();
  items.forEach((item, index) => {
    const id = key(item);
    let element = known.get(id);
    if (!element) {
      element = make(item);
      known.set(id, element);
    }
    update(element, item);
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
  if (!items.length) parent.append(h(["OL", "UL"].includes(parent.tagName) ? "li" : "p", { class: "empty" }, empty));
}

/** The time of day of seconds since the epoch. */
export function clock(seconds) {
  const time = new Date(seconds * 1000);
  return h("time", { datetime: time.toISOString() }, time.toLocaleTimeString());
}

export const percent = (value) => (value === null || value === undefined ? "" : `${Math.round(value * 100)} %`);

export const decibel = (value, unit) => (value === null || value === undefined ? null : `${Math.round(value)} ${unit}`);

/** Texts joined by a dot, without those that are missing. */
export const joined = (...texts) => texts.filter(Boolean).join(" · ");
