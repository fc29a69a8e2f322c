// Small helpers to make and fill elements. Styles are set through the CSSOM, which the content security policy allows.

const SVG = "http://www.w3.org/2000/svg";

/** Children as one list, without those that are not there. */
const present = (children) =>
  children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

/** The element with this id. */
export const at = (id) => document.getElementById(id);

/** An HTML element: properties, `aria`/`data` attributes with dashes, `on…` listeners, then children. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else if (name === "class") element.className = value;
    else element[name] = value;
  }
  element.append(...present(children));
  return element;
}

/** An SVG element with attributes and children. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...present(children));
  return element;
}

/** Replace the children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...present(children));
  return element;
}

/** Give an element this text; what it says already is left alone, for every writing costs a layout. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Give an element this attribute, unless it has it. */
export function mark(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Run `task` once before the next frame however often the returned function is called. */
export function oncePerFrame(task) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      task();
    });
  };
}

/**
 * Follow a range: `move(settled)` with every move, and once with its end. A browser tells of a change only where the value
 * ends elsewhere than it began, so letting go is an end as well.
 */
export function dragged(range, move) {
  let open = false;
  range.addEventListener("input", () => {
    open = true;
    move(false);
  });
  for (const end of ["change", "pointerup", "pointercancel", "blur"]) {
    range.addEventListener(end, () => {
      if (open) move(true);
      open = false;
    });
  }
}

/** Whether the reader asked for little movement. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * Show a value in a text box, unless somebody is writing in it: not while there is text that was not taken yet, nor while
 * a refused text waits there to be corrected. Returns `show(text)`.
 */
export function shownIn(box) {
  let writing = false;
  box.addEventListener("input", () => (writing = true));
  for (const end of ["change", "blur"]) box.addEventListener(end, () => (writing = false));
  return (text) => {
    const refused = document.activeElement === box && box.getAttribute("aria-invalid") === "true";
    if (writing || refused) return;
    box.value = text;
    box.setAttribute("aria-invalid", "false");
  };
}
