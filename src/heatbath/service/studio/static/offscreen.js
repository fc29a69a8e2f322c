// Parts of the page that are out of sight wait while a control is dragged: what nobody sees need not cost a frame. When the
// hand rests or lets go, and when they come into sight, they are painted like the others.

const REST = 150; // milliseconds without a move

/** The same part, which paints into `element`; `dragging()` tells whether a control is held, `repaint()` asks for a frame. */
export function whenSeen(element, part, { dragging, repaint }) {
  let seen = true;
  let due = false;
  let resting = 0;
  const catchUp = () => {
    due = true;
    repaint();
  };
  new IntersectionObserver((entries) => {
    seen = entries.at(-1).isIntersecting;
    if (seen && resting) catchUp();
  }).observe(element);

  function paint(view) {
    clearTimeout(resting);
    resting = 0;
    if (seen || due || !dragging()) part.paint(view);
    else resting = setTimeout(catchUp, REST);
    due = false;
  }
  return { ...part, paint };
}
