// Parts of the page that are out of sight wait while a control is dragged: what nobody sees need not cost a frame. At the
// end of the drag, and when they come into sight, they are painted like the others.

/** The same part, which paints into `element`; `dragging()` tells whether a control is held, `repaint()` asks for a frame. */
export function whenSeen(element, part, { dragging, repaint }) {
  let seen = true;
  let behind = false;
  new IntersectionObserver(([{ isIntersecting }]) => {
    seen = isIntersecting;
    if (seen && behind) repaint();
  }).observe(element);
  return {
    ...part,
    paint(view) {
      behind = !seen && dragging();
      if (!behind) part.paint(view);
    },
  };
}
