// The map on its canvas. Points are painted once on a ground larger than what is seen; moving only shifts it.

const MARGIN = 256;
const WHOLE_TURN = 2 * Math.PI;
const OPAQUE = 0.85;
const MOST_PIXELS_A_PIXEL = 2;
const NEUTRAL_LOOK = { colour: "#8a8a8a", marker: "o" };

/** Outlines of the plots' markers about a circle of radius 1. */
const OUTLINES = {
  "^": "M0-1L.95.8H-.95Z",
  v: "M0 1L.95-.8H-.95Z",
  s: "M-.85-.85H.85V.85H-.85Z",
  D: "M0-1.1L1.1 0 0 1.1-1.1 0Z",
  P: "M-.35-1H.35V-.35H1V.35H.35V1H-.35V.35H-1V-.35H-.35Z",
};
const CIRCLE = "M-1 0A1 1 0 1 1 1 0 1 1 0 1 1-1 0Z";

/** The path of a marker. */
export function mapOutline(marker) {
  return OUTLINES[marker] ?? CIRCLE;
}

export function createMapPainter(canvas, view, points) {
  const context = canvas.getContext("2d");
  const ground = document.createElement("canvas");
  const painted = { scale: 0, x: 0, y: 0 };
  let sprites = [];
  let spritesFor = "";
  let ratio = 1;

  function resize() {
    ratio = Math.min(MOST_PIXELS_A_PIXEL, window.devicePixelRatio || 1);
    const size = (element, width, height) => {
      element.width = Math.round(width * ratio);
      element.height = Math.round(height * ratio);
    };
    size(canvas, view.width, view.height);
    size(ground, view.width + 2 * MARGIN, view.height + 2 * MARGIN);
    spritesFor = "";
    painted.scale = 0;
  }

  /** One small picture a group, and one for none at the end. */
  function makeSprites(groups, radius) {
    const wanted = `${ratio} ${radius} ${groups.map(({ colour, marker }) => colour + marker).join()}`;
    if (wanted === spritesFor) return;
    spritesFor = wanted;
    sprites = [...groups, NEUTRAL_LOOK].map((look) => mapSprite(look, radius * ratio));
  }

  function paintGround({ kind, groups, radius }) {
    makeSprites(groups, radius);
    const brush = ground.getContext("2d");
    brush.clearRect(0, 0, ground.width, ground.height);
    const scale = view.scale * ratio;
    const half = sprites[0].width / 2;
    const left = view.x - ground.width / 2 / scale;
    const top = view.y - ground.height / 2 / scale;
    const [widest, highest] = [ground.width + half, ground.height + half];
    for (const { count, xy, [kind]: codes } of points.shown()) {
      for (let index = 0; index < count; index += 1) {
        const x = (xy[2 * index] - left) * scale;
        const y = (xy[2 * index + 1] - top) * scale;
        if (x < -half || y < -half || x > widest || y > highest) continue;
        brush.drawImage(sprites[Math.min(codes[index], groups.length)], (x - half) | 0, (y - half) | 0);
      }
    }
    Object.assign(painted, { scale: view.scale, x: view.x, y: view.y });
  }

  /** `scene`: {kind, groups, radius, trail, path, drag, rings, ringRadius}; places are those of the map. */
  function paint(scene) {
    let right = (painted.x - view.x) * view.scale;
    let down = (painted.y - view.y) * view.scale;
    if (painted.scale !== view.scale || Math.max(Math.abs(right), Math.abs(down)) > MARGIN) {
      paintGround(scene);
      [right, down] = [0, 0];
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(ground, Math.round((right - MARGIN) * ratio), Math.round((down - MARGIN) * ratio));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { color: ink, borderTopColor: accent } = getComputedStyle(canvas);
    trail(scene.trail, ink);
    way(scene.path, accent);
    if (scene.drag) line([view.toPage(scene.drag.x, scene.drag.y), scene.drag.to], accent, [6, 5]);
    for (const { x, y, strong } of scene.rings)
      ring(view.toPage(x, y), scene.ringRadius, strong ? accent : ink);
    context.globalAlpha = 1;
  }

  /** The last plays, newest first, each step fainter than the one after it. */
  function trail(places, ink) {
    for (let index = 0; index < places.length; index += 1) {
      context.globalAlpha = 0.75 * (1 - index / places.length);
      const here = view.toPage(...places[index]);
      ring(here, 7, ink);
      if (index + 1 < places.length) line([here, view.toPage(...places[index + 1])], ink);
    }
    context.globalAlpha = 1;
  }

  function way(places, accent) {
    if (!places.length) return;
    const stops = places.map((place) => view.toPage(...place));
    line(stops, accent, [], 3);
    context.fillStyle = accent;
    for (const [x, y] of stops) {
      context.beginPath();
      context.arc(x, y, 5, 0, WHOLE_TURN);
      context.fill();
    }
  }

  function line(stops, colour, dashes = [], width = 1.5) {
    context.beginPath();
    for (const [x, y] of stops) context.lineTo(x, y);
    Object.assign(context, { strokeStyle: colour, lineWidth: width, lineJoin: "round" });
    context.setLineDash(dashes);
    context.stroke();
    context.setLineDash([]);
  }

  function ring([x, y], radius, colour) {
    context.beginPath();
    context.arc(x, y, radius, 0, WHOLE_TURN);
    Object.assign(context, { strokeStyle: colour, lineWidth: 2 });
    context.stroke();
  }

  return {
    resize,
    paint,
    /** Points or their looks are others: the ground is painted anew. */
    renew() {
      painted.scale = 0;
    },
  };
}

function mapSprite({ colour, marker }, radius) {
  const made = document.createElement("canvas");
  made.width = 2 * Math.ceil(radius + 1);
  made.height = made.width;
  const brush = made.getContext("2d");
  brush.translate(made.width / 2, made.width / 2);
  brush.scale(radius, radius);
  brush.globalAlpha = OPAQUE;
  brush.fillStyle = colour;
  brush.fill(new Path2D(mapOutline(marker)));
  return made;
}
